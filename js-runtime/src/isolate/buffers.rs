//! Memory of `ArrayBuffer`s: outside of V8's heap, so outside of its limit, and counted here.

use deno_core::v8;
use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes handed out and how many may be.
struct Account {
    used_bytes: AtomicUsize,
    limit_bytes: usize,
}

impl Account {
    /// Memory of `len` bytes, or null when the limit is reached: V8 throws a `RangeError` then.
    fn allocate(&self, len: usize, zeroed: bool) -> *mut c_void {
        let take = |used: usize| used.checked_add(len).filter(|used| *used <= self.limit_bytes);
        if self.used_bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).is_err() {
            return null_mut();
        }
        let Ok(layout) = layout(len) else { return null_mut() };
        // SAFETY: `layout` is never of size zero.
        let memory = unsafe { if zeroed { alloc_zeroed(layout) } else { alloc(layout) } };
        memory.cast()
    }
}

/// The layout of a buffer; never empty, so that each one has an address of its own.
fn layout(len: usize) -> Result<Layout, std::alloc::LayoutError> {
    Layout::from_size_align(len.max(1), align_of::<u128>())
}

unsafe extern "C" fn allocate(account: &Account, len: usize) -> *mut c_void {
    account.allocate(len, true)
}

unsafe extern "C" fn allocate_uninitialized(account: &Account, len: usize) -> *mut c_void {
    account.allocate(len, false)
}

unsafe extern "C" fn free(account: &Account, data: *mut c_void, len: usize) {
    account.used_bytes.fetch_sub(len, Ordering::AcqRel);
    if let Ok(layout) = layout(len) {
        // SAFETY: V8 gives back what `allocate` returned, with the length that it asked for.
        unsafe { dealloc(data.cast(), layout) };
    }
}

unsafe extern "C" fn release(account: *const Account) {
    // SAFETY: the pointer came from `Arc::into_raw` in `allocator`, and V8 drops its allocator once.
    drop(unsafe { Arc::from_raw(account) });
}

static VTABLE: v8::RustAllocatorVtable<Account> =
    v8::RustAllocatorVtable { allocate, allocate_uninitialized, free, drop: release };

/// An allocator that hands out at most `limit_bytes` at a time.
pub fn allocator(limit_bytes: usize) -> v8::UniqueRef<v8::Allocator> {
    let account = Arc::new(Account { used_bytes: AtomicUsize::new(0), limit_bytes });
    // SAFETY: the vtable's functions take the `Account` that the pointer leads to until `release`.
    unsafe { v8::new_rust_allocator(Arc::into_raw(account), &VTABLE) }
}
