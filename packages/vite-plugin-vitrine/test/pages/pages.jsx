// Pages that go every way from a template into React and back. Each is `(later) => element`; `later(value)` is a promise that is met when it is its turn.
import * as React from "react";
import { Children, Fragment, Suspense, cloneElement, createContext, forwardRef, isValidElement, lazy, memo, use, useActionState, useId } from "react";
import { renderToString } from "react-dom/server";

import { minified } from "./minified.js";
import { plain } from "./returns.cjs";
import { cycle } from "./cycle.jsx";

export { copied } from "./copies.jsx";
export { cycle };

const AWKWARD = ["", "text", '<&"\'>', 0, 1.5, -1, 10n, true, false, null, undefined, () => "no", ["a", ["b", 1], null, "c"], []];

/** Each kind of child beside known texts, alone, and beside elements. */
export function texts() {
  return (
    <div>
      {AWKWARD.map((value, index) => (
        <section key={index}>
          <p>{value}</p>
          <p>before {value}</p>
          <p>{value} after</p>
          <p>
            {value}
            {value}
            <b>{value}</b>
            {value}
            {""}
            {"known"}
            {5}
            {null}
            {value}
          </p>
          <p>{"only"}</p>
          <p>{7}</p>
          <p>{false}</p>
          <p></p>
          &nbsp;&lt; {value} &amp; ü 😀 {"\u{1F600}"}
        </section>
      ))}
    </div>
  );
}

function Id({ children }) {
  return (
    <i id={useId()}>
      {children} {useId()}
    </i>
  );
}

/** Ids count the way through every list. */
export function ids() {
  return (
    <div>
      <Id />
      <ul>
        {["a", "b", "c"].map((name) => (
          <li key={name}>
            <Id>{name}</Id>
            <p>
              <Id />
            </p>
            {[<Id key="x" />, [<Id key="y" />, <b key="z"><Id /></b>]]}
          </li>
        ))}
      </ul>
      <section>
        <p>
          <b>
            text <Id /> text
          </b>
        </p>
        {Array.from({ length: 40 }, (_, index) => <span key={index}>{[...Array(index % 3)].map((_, inner) => <Id key={inner} />)}</span>)}
      </section>
    </div>
  );
}

/** The key of a form's state says where in the page the form is. */
export function formStates() {
  const action = async () => "done";
  // As those that servers know by name: what is bound to one is one.
  action.bind = () => action;
  action.$$FORM_ACTION = () => ({ name: "action", action: "/act", method: "POST", encType: "multipart/form-data", data: new FormData() });
  function Form({ label }) {
    const [state, dispatch] = useActionState(action, "idle");
    return (
      <form action={dispatch} id={useId()}>
        <button formAction={dispatch}>{label}</button> {state}
      </form>
    );
  }
  return (
    <main>
      <Form label="first" />
      <ul>
        {[3, 4].map((key) => (
          <li key={key}>
            <section>
              <Form label={key} />
              {[[<Form key="deep" label="deep" />]]}
            </section>
          </li>
        ))}
      </ul>
      <p>
        <Form label="only" />
      </p>
    </main>
  );
}

export function suspended(later) {
  const promises = ["one", "two", "three"].map(later);
  const Late = ({ index }) => (
    <b id={`l${index}`}>
      before {use(promises[index])} after <Id />
    </b>
  );
  return (
    <ul>
      head
      {promises.map((_, index) => (
        <li key={index}>
          x
          <Suspense fallback={<i>wait {index}</i>}>
            in <Late index={index} /> out
          </Suspense>
          y
        </li>
      ))}
      tail
    </ul>
  );
}

export function suspendedInTheShell() {
  const promise = new Promise((resolve) => setImmediate(resolve, "late"));
  const Late = () => <b>{use(promise)}</b>;
  return (
    <div>
      a
      <p title="t">
        b<Late />c<Late />
        {promise} d {promise}
      </p>
      e
    </div>
  );
}

export function broken() {
  const Broken = ({ what }) => {
    if (what === "error") throw new Error("broken");
    return <em style={what}>never</em>;
  };
  return (
    <div>
      <Suspense fallback={<i>no such style</i>}>
        <section>
          <p title="t">
            <Id />
            <em style={"bad" + ""}>x</em>
          </p>
        </section>
      </Suspense>
      <Suspense fallback={<i>no number</i>}>
        <p>
          <input size={10n} />
        </p>
      </Suspense>
      {["error", "no style", { color: "red" }].map((what, index) => (
        <section key={index}>
          a
          <Suspense fallback={<i>sorry</i>}>
            b
            <p>
              c
              <span>
                d <Broken what={what} />
              </span>
            </p>
          </Suspense>
          e
        </section>
      ))}
    </div>
  );
}

/** Templates in templates, each reached through React. */
export function deep() {
  const Deep = ({ level }) =>
    level === 0 ? (
      "bottom"
    ) : (
      <div data-level={level}>
        <p>
          {level} <Deep level={level - 1} />
        </p>
      </div>
    );
  return <Deep level={50} />;
}

/** What looks at elements sees what React would have made. */
export function inspected() {
  const Tabs = ({ children }) => (
    <div role="tablist">
      {Children.map(children, (child, index) => (
        <div>
          {isValidElement(child) ? child.type : typeof child} {child.key} {Object.keys(child.props).join()} {child.props.className}
          {cloneElement(child, { id: `tab-${index}`, className: "cloned" })}
          {Children.count(child.props.children)} {Children.toArray(child.props.children).map((each) => each.type ?? each).join()}
          {child.props.children?.[1]?.props?.children}
          {{ ...child, props: { ...child.props, title: "spread" } }}
          {{ ...child, key: "copied" }}
          {child.props === child.props ? "same" : "other"} {String(child.ref)}
        </div>
      ))}
    </div>
  );
  const One = ({ children }) => Children.only(children);
  return (
    <Tabs>
      <section key="a" className="first">
        one <b>two {1 + 1}</b>
      </section>
      <p title={"t".repeat(2)} ref={() => {}}>
        plain
      </p>
      <hr className="line" />
      <div>
        <One>
          <i>only</i>
        </One>
      </div>
    </Tabs>
  );
}

/** What is made a text suspends, fails, or renders meanwhile. */
export function awkwardTexts() {
  const suspending = () => {
    let isKnown = false;
    return {
      toString() {
        if (isKnown) return "known";
        throw Promise.resolve().then(() => (isKnown = true));
      },
    };
  };
  const [alone, behind] = [suspending(), suspending()];
  const renders = { toString: () => renderToString(<b lang={"x" + 1}>{"in between"}</b>) };
  return (
    <div>
      a<Id />
      <Suspense fallback="…">
        b<Id />
        <p title={alone}>c</p>d
      </Suspense>
      <Suspense fallback="…">
        <section>
          what is written before <Id /> is taken back
          <p title={behind}>f</p>
        </section>
      </Suspense>
      <p title={renders} lang="en" data-x={renders} cite={renders}>
        e
      </p>
    </div>
  );
}

export function modules() {
  return (
    <div>
      {minified()}
      {Children.map(minified(), (child) => child.props.children)}
      {plain()}
    </div>
  );
}

const Theme = createContext("light");

export function components() {
  const Memo = memo(({ children }) => <b>{children}</b>);
  const Ref = forwardRef(({ label }, ref) => (
    <i ref={ref} title={typeof ref}>
      {label}
    </i>
  ));
  const Lazy = lazy(async () => ({ default: ({ children }) => <u>lazy {children}</u> }));
  class Old extends React.Component {
    render() {
      return (
        <s>
          {this.props.children} {this.context}
        </s>
      );
    }
  }
  Old.contextType = Theme;
  function* generated() {
    yield <i key="1">1</i>;
    yield "2";
  }
  return (
    <div>
      <Memo>
        m <Ref label="r" ref={() => {}} />
      </Memo>
      <Theme value="dark">
        <p>
          <Old>old</Old> <Theme.Consumer>{(theme) => <em>{theme}</em>}</Theme.Consumer> {Theme}
        </p>
      </Theme>
      <Lazy>
        <b>child</b>
      </Lazy>
      {generated()}
      {new Set(["x", <b key="b">y</b>])}
      <Fragment key="f">
        <b>{"f"}</b>
        text
      </Fragment>
      {(0, (<b>{"sequence"}</b>))}
    </div>
  );
}

/** Elements that are left to React, in and around those that are not. */
export function leftToReact() {
  const more = { title: "spread", children: "from props" };
  return (
    <div>
      <p {...more} />
      <p dangerouslySetInnerHTML={{ __html: "<b>raw</b>" }} />
      <select defaultValue="2" name="s">
        <option value="1">one</option>
        <option value="2">two {2}</option>
      </select>
      <textarea defaultValue={"\nfirst"} />
      <pre>{"\nline"}</pre>
      <picture>
        <source srcSet="/a.avif" />
        <img src="/in-picture.png" alt="" />
      </picture>
      <noscript>
        <img src="/no-script.png" alt="" />
      </noscript>
      <figure>
        <img src="/eager.png" alt="" sizes="1px" srcSet="/eager-2.png 2x" />
        <img src="/high.png" alt="" fetchPriority="high" />
        <img src="/lazy.png" alt="" loading="lazy" />
        <figcaption>
          <img src={"/late.png"} alt={"a"} loading={"la" + "zy"} />
        </figcaption>
      </figure>
      <svg viewBox="0 0 1 1" strokeWidth={2} xlinkHref="#a">
        <title>in svg</title>
        <g fill="red">
          <path d="M0 0" fillOpacity={0.5} />
          <foreignObject>
            <p>{"html"}</p>
          </foreignObject>
        </g>
      </svg>
      <my-element some-prop="a" className="c">
        <b slot="x">{"in it"}</b>
      </my-element>
      <object data="/o" />
      <table>
        <caption>c</caption>
        <colgroup>
          <col span={2} />
        </colgroup>
        <tbody>
          <tr>
            <td rowSpan={2} colSpan="3">
              {"cell"}
            </td>
          </tr>
        </tbody>
      </table>
    </div>
  );
}

export function document() {
  return (
    <html lang="en">
      <head>
        <title>T &amp; t</title>
        <meta charSet="utf-8" />
        <link rel="stylesheet" href="/a.css" precedence="high" />
      </head>
      <body className="x">
        <main>
          <title>hoisted</title>
          <meta name="hoisted" content="too" />
          <link rel="preload" as="style" href="/b.css" />
          <script src="/s.js" async />
          <style href="st" precedence="low">{`p{}`}</style>
          <script>{`1 < 2`}</script>
          <img src="/body.png" alt="" />
          <p>{"text"}</p>
        </main>
      </body>
    </html>
  );
}

export function styles() {
  return [
    { color: "red", marginTop: 4, lineHeight: 2, zIndex: 0, "--w": " 1 ", WebkitFlex: 1, msTransform: "none", content: '"<"' },
    { color: null, width: undefined, height: "", opacity: true, flex: false },
    {},
    null,
  ].map((style, index) => (
    <p key={index} style={style}>
      <b style={{ color: `c${index}`, paddingLeft: index, margin: "0 auto", "--x": index }}>{index}</b>
    </p>
  ));
}

export function transitions() {
  const ViewTransition = React.ViewTransition ?? Fragment;
  return (
    <div>
      <ViewTransition>
        <section className="t">
          <p>{"in a transition"}</p>
        </section>
      </ViewTransition>
    </div>
  );
}

const AT_MODULE_SCOPE = <b>{"made once"}</b>;

export function largeTable() {
  return (
    <table>
      <tbody>
        {Array.from({ length: 400 }, (_, row) => (
          <tr key={row} data-row={row}>
            <td className="n">{row}</td>
            <td>
              <Suspense fallback="…">
                cell {row} &amp; <em>{"x".repeat(row % 90)}</em>
              </Suspense>
            </td>
            <td>{AT_MODULE_SCOPE}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
