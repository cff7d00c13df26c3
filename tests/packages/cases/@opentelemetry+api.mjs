import { context, createContextKey, diag, propagation, SpanStatusCode, trace } from "@opentelemetry/api";

export default function () {
  const key = createContextKey("k");
  const span = trace.getTracer("t").startSpan("s");
  span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute("a", 1).end();
  const carrier = {};
  propagation.inject(context.active(), carrier);
  return [
    context.active().setValue(key, 1).getValue(key),
    span.isRecording(),
    span.spanContext().traceId,
    carrier,
    typeof diag.setLogger,
    propagation.createBaggage({ a: { value: "b" } }).getAllEntries(),
  ];
}
