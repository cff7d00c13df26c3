import { Children, cloneElement } from "react";

/** Copies and changes of elements, by hand and by libraries. */
export function copied() {
  const made = () => (
    <b title={"t" + 1}>
      one <i>{"two"}</i>
    </b>
  );
  const plainCopy = () => ({ ...made() });
  const changed = made();
  changed.props.title = "changed";
  const pushed = made();
  pushed.props.children.push("pushed");
  const retyped = made();
  retyped.type = "u";
  const replaced = made();
  replaced.props = { children: "replaced" };
  const deleted = made();
  delete deleted.props.title;
  const frozen = Object.freeze(made());
  Object.freeze(frozen.props);
  return (
    <div>
      {Children.map(["a"], plainCopy)}
      {Children.toArray([Object.assign({}, made())])}
      {cloneElement(plainCopy(), { id: "q", key: "cloned" })}
      {plainCopy().props.children[0]}
      {Object.create(made(), { props: { value: { children: "over" } } })}
      {[changed, pushed, retyped, replaced, deleted, frozen].map((each, index) => (
        <p key={index}>{each}</p>
      ))}
      <p>{JSON.stringify([made(), frozen, plainCopy()])}</p>
      <p>
        {Object.keys(made()).join()} {Object.keys(made().props).join()} {String(Object.hasOwn(made(), "props"))}{" "}
        {String(Object.getPrototypeOf(made()) === Object.prototype && made().constructor === Object)}{" "}
        {String("title" in made().props && !("other" in made().props))} {String(Object.isFrozen(frozen.props))}
      </p>
      <p>
        {Object.entries(
          (<b onClick={() => 1} onInput={function () {}} onKeyUp={class {}} onBlur={function named() {}} title={String} slot={(() => 2)} />).props,
        ).map(([name, value]) => `${name}: ${value.name} `)}
      </p>
      <p key={{ valueOf: () => 5, toString: () => "text" }}>{(<b key={{ valueOf: () => 5, toString: () => "text" }} />).key}</p>
    </div>
  );
}
