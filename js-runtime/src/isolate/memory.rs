//! `heap_mb`: what an isolate's heap, its buffers and its WebAssembly memory may take together.

use crate::allocator;
use crate::limits::isolate::{CROWDED_COLLECTIONS, CROWDED_PERCENT, HEAP_GRACE_BYTES};
use crate::watchdog::Guard;
use deno_core::{JsRuntime, v8};
use std::ffi::c_void;
use std::sync::Arc;
use vitrine_wire::Outcome;

/// Flags of V8 that make its limit hold for everything.
pub const V8_FLAGS: &[&str] = &[
    // The limit counts what lies outside of V8's heap too.
    "--enforce-global-heap-limit",
    "--maximum-global-heap-limit-factor=1",
    // A buffer of 32 GiB and more, which costs nothing until it is written to, would end the process by a check.
    "--external-memory-max-reasonable-size=0",
];

/// What the collector's callback needs. It lives as long as the isolate.
struct Bound {
    guard: Arc<Guard>,
    heap_bytes: usize,
}

/// Has `guard` end the isolate when it takes more than `heap_bytes`.
pub fn bound(runtime: &mut JsRuntime, guard: &Arc<Guard>, heap_bytes: usize) -> Collections {
    let ended = Arc::clone(guard);
    // SAFETY: used only in the callback, which belongs to the isolate and can't outlive it.
    let isolate = unsafe { runtime.v8_isolate().as_raw_isolate_ptr() };
    runtime.add_near_heap_limit_callback(move |current, _| {
        ended.kill(Outcome::HeapLimit);
        // SAFETY: V8 calls this on the isolate's thread, while the isolate lives. It has no destructor here.
        let mut isolate = unsafe { v8::Isolate::from_raw_isolate_ptr_unchecked(isolate) };
        // V8 ends the process when what is there already is still too much, however large the last buffer was.
        current + external_bytes(&mut isolate) + HEAP_GRACE_BYTES
    });
    let bound = Box::new(Bound { guard: Arc::clone(guard), heap_bytes });
    let data = std::ptr::from_ref::<Bound>(&bound).cast_mut().cast();
    runtime.v8_isolate().add_gc_epilogue_callback(collected, data, v8::GCType::kGCTypeMarkSweepCompact);
    Collections(bound)
}

/// Belongs to an isolate whose memory is bounded, and is dropped after it.
pub struct Collections(#[expect(dead_code, reason = "the collector's callback looks at it")] Box<Bound>);

/// Near its limit V8 collects the whole heap several times before it gives up, and can't be ended meanwhile: an isolate whose
/// collections leave the heap nearly full in one slice is ended at once.
unsafe extern "C" fn collected(
    isolate: v8::UnsafeRawIsolatePtr,
    _: v8::GCType,
    _: v8::GCCallbackFlags,
    data: *mut c_void,
) {
    // SAFETY: `data` is the `Bound` that `bound` made, which outlives the isolate.
    let bound = unsafe { &*data.cast::<Bound>() };
    // SAFETY: V8 calls this on the isolate's thread, while the isolate lives. It has no destructor here.
    let mut isolate = unsafe { v8::Isolate::from_raw_isolate_ptr_unchecked(isolate) };
    let crowded = heap_bytes(&mut isolate) >= bound.heap_bytes / 100 * CROWDED_PERCENT;
    if crowded && bound.guard.crowded() >= CROWDED_COLLECTIONS {
        bound.guard.kill(Outcome::HeapLimit);
    }
}

/// Bytes of the heap that are in use, with buffers and WebAssembly memory.
pub fn heap_bytes(isolate: &mut v8::Isolate) -> usize {
    isolate.get_heap_statistics().used_heap_size() + external_bytes(isolate)
}

/// Bytes of buffers and WebAssembly memory. V8's statistics leave the latter out; its account has them, and is told when it is
/// changed by nothing.
fn external_bytes(isolate: &mut v8::Isolate) -> usize {
    usize::try_from(isolate.adjust_amount_of_external_allocated_memory(0)).unwrap_or_default()
}

/// Gives what is not in use back to the system, with the code that V8 optimized.
pub fn give_back(isolate: &mut v8::Isolate) {
    isolate.memory_pressure_notification(v8::MemoryPressureLevel::Critical);
    allocator::trim();
}
