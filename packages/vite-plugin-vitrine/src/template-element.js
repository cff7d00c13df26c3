// Part of every bundle whose JSX was made into templates: the elements that take the place of React's.

const REACT_ELEMENT = Symbol.for("react.transitional.element");
/** Under which an element has its template. */
const TEMPLATE = Symbol.for("vitrine.template");

let Template;

/**
 * A React element that knows how its HTML is written. To everybody else it is like any other: it has its props, and the elements in them, as
 * soon as somebody looks.
 *
 * @param {string} type
 * @param {(writer: object, values: unknown[]) => void} write
 * @param {(values: unknown[], at?: number) => object} describe Makes the props; or, with a number, says where in the template a value stands.
 * @param {unknown[]} values
 * @param {unknown} [key]
 */
export function element(type, write, describe, values, key) {
  // Made here: modules that import each other can call this before this one has run.
  Template ??= templateClass();
  const template = new Template(type, write, describe, values);
  return {
    $$typeof: REACT_ELEMENT,
    type,
    key: key === undefined ? null : "" + key,
    ref: null,
    props: template.props,
    [TEMPLATE]: template,
  };
}

function templateClass() {
  return class Template {
    constructor(type, write, describe, values) {
      this.type = type;
      this.write = write;
      this.describe = describe;
      this.values = values;
      /** Whether somebody has seen the props, and may have changed them: from then on the element is what they say. */
      this.isSeen = false;
      this.made = {};
      this.props = new Proxy(this.made, this);
    }

    /** The props as React would have made them. */
    seen() {
      if (!this.isSeen) {
        this.isSeen = true;
        Object.assign(this.made, this.describe(this.values));
      }
      return this.made;
    }

    // What a proxy asks of its handler. Nothing is answered here: the object behind it is filled first.
    get(_made, name) {
      return this.seen()[name];
    }

    set(_made, name, value) {
      return Reflect.set(this.seen(), name, value);
    }

    has(_made, name) {
      return name in this.seen();
    }

    deleteProperty(_made, name) {
      return Reflect.deleteProperty(this.seen(), name);
    }

    ownKeys() {
      return Reflect.ownKeys(this.seen());
    }

    getOwnPropertyDescriptor(_made, name) {
      return Reflect.getOwnPropertyDescriptor(this.seen(), name);
    }

    defineProperty(_made, name, descriptor) {
      return Reflect.defineProperty(this.seen(), name, descriptor);
    }

    preventExtensions() {
      return Reflect.preventExtensions(this.seen());
    }
  };
}
