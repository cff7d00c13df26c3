// Modules of Cloudflare's runtime whose services an isolate does not have: importing them is harmless, using them tells why.
const refused = (name, instead) => {
  throw new Error(`${name} was called, which is not available on Vitrine; ${instead}`);
};

/** Of `cloudflare:sockets`. */
export function connect() {
  refused("connect of cloudflare:sockets", "an isolate has no sockets: call fetch");
}

/** Of `cloudflare:email`. */
export class EmailMessage {
  constructor() {
    refused("EmailMessage of cloudflare:email", "send mail by a service that is called with fetch");
  }
}

/** Of `cloudflare:workflows`. */
export class NonRetryableError extends Error {}
