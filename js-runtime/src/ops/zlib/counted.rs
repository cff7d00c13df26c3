//! Memory of Brotli, counted.

use brotli::enc::BrotliAlloc;
use brotli::{Allocator, SliceWrapper, SliceWrapperMut};
use std::cell::Cell;
use std::rc::Rc;

/// Hands out memory and counts what is not given back.
#[derive(Clone, Default)]
pub struct Counting(Rc<Cell<usize>>);

impl Counting {
    /// Bytes that are handed out.
    pub fn bytes(&self) -> usize {
        self.0.get()
    }
}

/// A piece of it.
pub struct Counted<T> {
    memory: Box<[T]>,
    counting: Counting,
}

impl<T> Default for Counted<T> {
    fn default() -> Self {
        Self { memory: Box::default(), counting: Counting::default() }
    }
}

impl<T> Drop for Counted<T> {
    fn drop(&mut self) {
        let count = &self.counting.0;
        count.set(count.get().saturating_sub(size_of_val(&*self.memory)));
    }
}

impl<T> SliceWrapper<T> for Counted<T> {
    fn slice(&self) -> &[T] {
        &self.memory
    }
}

impl<T> SliceWrapperMut<T> for Counted<T> {
    fn slice_mut(&mut self) -> &mut [T] {
        &mut self.memory
    }
}

impl<T: Clone + Default> Allocator<T> for Counting {
    type AllocatedMemory = Counted<T>;

    fn alloc_cell(&mut self, length: usize) -> Counted<T> {
        let memory = vec![T::default(); length].into_boxed_slice();
        self.0.set(self.0.get() + size_of_val(&*memory));
        Counted { memory, counting: self.clone() }
    }

    fn free_cell(&mut self, _: Counted<T>) {}
}

impl BrotliAlloc for Counting {}
