//! Modules of a bundle: files of the bundle and the built-ins, nothing else.

use crate::built_ins;
use crate::bundle::Bundle;
use crate::exception::APP_SCHEME;
use deno_core::error::ModuleLoaderError;
use deno_core::{
    ModuleLoadOptions, ModuleLoadReferrer, ModuleLoadResponse, ModuleLoader, ModuleResolveResponse,
    ModuleSource, ModuleSourceCode, ModuleSpecifier, ModuleType, ResolutionKind, SourceCodeCacheInfo,
};
use deno_error::JsErrorBox;
use std::borrow::Cow;
use std::pin::Pin;

/// Why a module can't be had.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    /// The import names a package.
    #[error(
        "{importer} imports \"{specifier}\", which is neither a file of the bundle nor a built-in module; bundle it into the server's \
         file (Vite: `ssr.noExternal: true`), or deploy the framework's own build, which `vitrine deploy` bundles"
    )]
    Package {
        /// What was imported.
        specifier: String,
        /// Which file imports it.
        importer: String,
    },
    /// The import names a Node.js built-in that there is none of here.
    #[error(
        "{importer} imports \"{specifier}\", a Node.js module that is not available here; build for a runtime without it (a preset or \
         adapter for edge runtimes, Vite: `ssr.target: \"webworker\"`). Available are {}",
        built_ins::names()
    )]
    BuiltIn {
        /// What was imported.
        specifier: String,
        /// Which file imports it.
        importer: String,
    },
    /// The import names a file that the bundle does not have.
    #[error("{importer} imports \"{path}\", which is not in the bundle")]
    Missing {
        /// Path in the bundle.
        path: String,
        /// Which file imports it.
        importer: String,
    },
    /// A file is not text.
    #[error("{path} is not UTF-8")]
    NotText {
        /// Path in the bundle.
        path: String,
    },
}

/// Loads modules from a bundle.
pub struct BundleLoader {
    bundle: Bundle,
    keeps_code: bool,
}

impl BundleLoader {
    /// A loader of `bundle`. It keeps the code that V8 compiles, and gives it to V8, if it may: V8 can't do so in an isolate that
    /// becomes a snapshot, and has no need of it in one that comes from one.
    #[must_use]
    pub fn new(bundle: Bundle, keeps_code: bool) -> Self {
        Self { bundle, keeps_code }
    }

    /// What it loads from.
    pub const fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    fn find(&self, specifier: &str, referrer: &str) -> Result<ModuleSpecifier, ModuleError> {
        let importer = || path_of(referrer).unwrap_or(referrer).to_owned();
        let invalid = || ModuleError::Package { specifier: specifier.to_owned(), importer: importer() };
        if let Some((name, _)) = built_ins::find(specifier) {
            return ModuleSpecifier::parse(name).map_err(|_| invalid());
        }
        if specifier.starts_with("node:") {
            return Err(ModuleError::BuiltIn { specifier: specifier.to_owned(), importer: importer() });
        }
        let is_path = ["./", "../", "/"].iter().any(|start| specifier.starts_with(start));
        if !is_path && !specifier.starts_with(APP_SCHEME) {
            return Err(invalid());
        }
        let base =
            ModuleSpecifier::parse(if referrer.starts_with(APP_SCHEME) { referrer } else { APP_SCHEME });
        base.and_then(|base| base.join(specifier)).map_err(|_| invalid())
    }

    /// The code of a source; this process has one of each name.
    fn compiled(&self, specifier: &ModuleSpecifier) -> Option<SourceCodeCacheInfo> {
        let data = || self.bundle.codes.get(specifier.as_str()).map(Cow::Owned);
        self.keeps_code.then(|| SourceCodeCacheInfo { hash: 0, data: data() })
    }

    fn source(&self, specifier: &ModuleSpecifier, importer: &str) -> Result<ModuleSource, ModuleError> {
        let path = path_of(specifier.as_str()).unwrap_or_default();
        let Some(content) = self.bundle.files.get(path) else {
            return Err(ModuleError::Missing { path: path.to_owned(), importer: importer.to_owned() });
        };
        if path.ends_with(".wasm") {
            let code = ModuleSourceCode::String(wasm_module(path).into());
            return Ok(ModuleSource::new(ModuleType::JavaScript, code, specifier, None));
        }
        let text =
            std::str::from_utf8(content).map_err(|_| ModuleError::NotText { path: path.to_owned() })?;
        let kind = if path.ends_with(".json") { ModuleType::Json } else { ModuleType::JavaScript };
        let code = ModuleSourceCode::String(text.to_owned().into());
        Ok(ModuleSource::new(kind, code, specifier, self.compiled(specifier)))
    }
}

/// What an import of WebAssembly gives: a compiled module, as for Cloudflare's workers and the builds of frameworks for them.
fn wasm_module(path: &str) -> String {
    let file = serde_json::Value::from(format!("/{path}"));
    format!(
        "import {{ readFileSync }} from \"node:fs\";\nexport default new WebAssembly.Module(readFileSync({file}));\n"
    )
}

/// Path in the bundle that a specifier stands for.
fn path_of(specifier: &str) -> Option<&str> {
    let path = specifier.strip_prefix(APP_SCHEME)?;
    path.split(['?', '#']).next()
}

impl ModuleLoader for BundleLoader {
    fn resolve(&self, specifier: &str, referrer: &str, _kind: ResolutionKind) -> ModuleResolveResponse {
        self.find(specifier, referrer).map_err(loader_error)
    }

    fn load(
        &self,
        specifier: &ModuleSpecifier,
        referrer: Option<&ModuleLoadReferrer>,
        _options: ModuleLoadOptions,
    ) -> ModuleLoadResponse {
        let importer =
            referrer.and_then(|referrer| path_of(referrer.specifier.as_str())).unwrap_or("the bundle");
        ModuleLoadResponse::Sync(self.source(specifier, importer).map_err(loader_error))
    }

    fn get_code_cache(&self, specifier: &ModuleSpecifier, _source: &str) -> Option<SourceCodeCacheInfo> {
        self.compiled(specifier)
    }

    fn code_cache_ready(
        &self,
        specifier: ModuleSpecifier,
        _hash: u64,
        code: &[u8],
    ) -> Pin<Box<dyn Future<Output = ()>>> {
        self.bundle.codes.put(specifier.as_str(), code);
        Box::pin(std::future::ready(()))
    }

    // The bundle holds maps, not sources; names in the maps are what a developer looks for.
    fn source_map_source_exists(&self, _source: &str) -> Option<bool> {
        Some(true)
    }

    fn get_source_map(&self, file_name: &str) -> Option<Cow<'_, [u8]>> {
        let path = format!("{}.map", path_of(file_name)?);
        self.bundle.files.get(&path).map(|map| Cow::Borrowed(&**map))
    }
}

fn loader_error(error: ModuleError) -> ModuleLoaderError {
    JsErrorBox::type_error(error.to_string())
}
