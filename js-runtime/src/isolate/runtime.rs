//! Creates V8 isolates: from our scripts, from a snapshot, or to make a snapshot.

use super::buffers;
use super::state::RuntimeState;
use crate::built_ins::BUILT_INS;
use crate::bundle::Bundle;
use crate::module_loader::BundleLoader;
use crate::ops::vitrine;
use deno_core::error::CoreError;
use deno_core::{Extension, JsRuntime, JsRuntimeForSnapshot, RuntimeOptions, SharedArrayBufferStore, v8};
use std::borrow::Cow;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::sync::Arc;

include!(concat!(env!("OUT_DIR"), "/scripts.rs"));

/// What an isolate begins with.
#[derive(Debug, Clone, Copy)]
pub enum Origin {
    /// Our scripts; the app is evaluated after them.
    Scripts,
    /// The same, in an isolate that is made into a snapshot and never serves. A process makes such isolates or others, never both.
    Snapshotting,
    /// A snapshot of an isolate whose app is evaluated. A process uses one snapshot, and no isolate of another origin: V8 shares
    /// what is read-only among them, and takes it from the first.
    Snapshot(&'static [u8]),
}

/// The runtime of an isolate.
pub enum Runtime {
    /// It serves.
    Serving(JsRuntime),
    /// It becomes a snapshot.
    Snapshotting(JsRuntimeForSnapshot),
}

impl Runtime {
    /// An isolate of this origin, whose heap may have `heap_bytes`. Must be called inside a tokio context.
    ///
    /// # Errors
    /// Our own scripts failed: a defect of this build.
    pub fn new(
        state: &Rc<RuntimeState>,
        loader: BundleLoader,
        origin: Origin,
        heap_bytes: usize,
    ) -> Result<Self, CoreError> {
        let create_params = v8::CreateParams::default()
            .heap_limits(0, heap_bytes)
            // A wait that no other thread can end would only hold up every request of the isolate.
            .allow_atomics_wait(false)
            .array_buffer_allocator(buffers::allocator(heap_bytes).make_shared());
        let options = RuntimeOptions {
            extensions: extensions(state, loader.bundle().clone()),
            module_loader: Some(Rc::new(loader)),
            residual_lazy_js_sources: SCRIPTS,
            create_params: Some(create_params),
            // Buffers on their way in a message; without it they are copied instead of transferred.
            shared_array_buffer_store: Some(SharedArrayBufferStore::default()),
            // They are part of a snapshot; doing it again takes a millisecond.
            skip_op_registration: true,
            startup_snapshot: match origin {
                Origin::Snapshot(snapshot) => Some(snapshot),
                Origin::Scripts | Origin::Snapshotting => None,
            },
            ..Default::default()
        };
        Ok(match origin {
            Origin::Snapshotting => Self::Snapshotting(JsRuntimeForSnapshot::try_new(options)?),
            Origin::Scripts | Origin::Snapshot(_) => Self::Serving(JsRuntime::try_new(options)?),
        })
    }

    /// The heap as V8 and `deno_core` write it. Nothing outside may refer into it any more.
    ///
    /// # Panics
    /// Its origin is another one than [`Origin::Snapshotting`].
    pub fn into_snapshot(self) -> Box<[u8]> {
        match self {
            Self::Snapshotting(runtime) => runtime.snapshot(),
            Self::Serving(_) => unreachable!("only what was made for it becomes a snapshot"),
        }
    }
}

impl Deref for Runtime {
    type Target = JsRuntime;

    fn deref(&self) -> &JsRuntime {
        match self {
            Self::Serving(runtime) => runtime,
            Self::Snapshotting(runtime) => runtime,
        }
    }
}

impl DerefMut for Runtime {
    fn deref_mut(&mut self) -> &mut JsRuntime {
        match self {
            Self::Serving(runtime) => runtime,
            Self::Snapshotting(runtime) => runtime,
        }
    }
}

/// The same ones in the same order for every origin: a snapshot refers to their ops by position.
fn extensions(state: &Rc<RuntimeState>, bundle: Bundle) -> Vec<Extension> {
    let blobs: Arc<dyn deno_web::BlobStoreTrait> = Arc::new(deno_web::BlobStore::default());
    let mut own = vitrine::init(Rc::clone(state), bundle);
    own.synthetic_esm_modules = Cow::Borrowed(BUILT_INS);
    vec![
        without_files(deno_webidl::deno_webidl::init()),
        without_files(deno_web::deno_web::init(blobs, None, false, Default::default())),
        own,
    ]
}

/// The extension without its list of files: they are in [`SCRIPTS`].
fn without_files(mut extension: Extension) -> Extension {
    extension.lazy_loaded_js_files = Cow::Borrowed(&[]);
    extension.lazy_loaded_esm_files = Cow::Borrowed(&[]);
    extension
}
