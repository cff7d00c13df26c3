//! What scripts of Node.js ask about the system and about values of V8. The names and numbers are those of the scripts in
//! `deno_node/`; the answers are the same in every isolate.

use deno_core::{op2, v8};
use deno_error::JsErrorBox;

/// The number that stands for a file descriptor that is nothing known.
const UNKNOWN_HANDLE: u32 = 5;

/// Constants of `node:fs`.
const FS_CONSTANTS: &[(&str, u32)] = &[
    ("UV_FS_SYMLINK_DIR", 1),
    ("UV_FS_SYMLINK_JUNCTION", 2),
    ("O_RDONLY", libc::O_RDONLY as u32),
    ("O_WRONLY", libc::O_WRONLY as u32),
    ("O_RDWR", libc::O_RDWR as u32),
    ("UV_DIRENT_UNKNOWN", 0),
    ("UV_DIRENT_FILE", 1),
    ("UV_DIRENT_DIR", 2),
    ("UV_DIRENT_LINK", 3),
    ("UV_DIRENT_FIFO", 4),
    ("UV_DIRENT_SOCKET", 5),
    ("UV_DIRENT_CHAR", 6),
    ("UV_DIRENT_BLOCK", 7),
    ("S_IFMT", libc::S_IFMT),
    ("S_IFREG", libc::S_IFREG),
    ("S_IFDIR", libc::S_IFDIR),
    ("S_IFCHR", libc::S_IFCHR),
    ("S_IFBLK", libc::S_IFBLK),
    ("S_IFIFO", libc::S_IFIFO),
    ("S_IFLNK", libc::S_IFLNK),
    ("S_IFSOCK", libc::S_IFSOCK),
    ("O_CREAT", libc::O_CREAT as u32),
    ("O_EXCL", libc::O_EXCL as u32),
    ("UV_FS_O_FILEMAP", 0),
    ("O_NOCTTY", libc::O_NOCTTY as u32),
    ("O_TRUNC", libc::O_TRUNC as u32),
    ("O_APPEND", libc::O_APPEND as u32),
    ("O_DIRECTORY", libc::O_DIRECTORY as u32),
    ("O_NOATIME", libc::O_NOATIME as u32),
    ("O_NOFOLLOW", libc::O_NOFOLLOW as u32),
    ("O_SYNC", libc::O_SYNC as u32),
    ("O_DSYNC", libc::O_DSYNC as u32),
    ("O_DIRECT", libc::O_DIRECT as u32),
    ("O_NONBLOCK", libc::O_NONBLOCK as u32),
    ("S_IRWXU", libc::S_IRWXU),
    ("S_IRUSR", libc::S_IRUSR),
    ("S_IWUSR", libc::S_IWUSR),
    ("S_IXUSR", libc::S_IXUSR),
    ("S_IRWXG", libc::S_IRWXG),
    ("S_IRGRP", libc::S_IRGRP),
    ("S_IWGRP", libc::S_IWGRP),
    ("S_IXGRP", libc::S_IXGRP),
    ("S_IRWXO", libc::S_IRWXO),
    ("S_IROTH", libc::S_IROTH),
    ("S_IWOTH", libc::S_IWOTH),
    ("S_IXOTH", libc::S_IXOTH),
    ("F_OK", libc::F_OK as u32),
    ("R_OK", libc::R_OK as u32),
    ("W_OK", libc::W_OK as u32),
    ("X_OK", libc::X_OK as u32),
    ("UV_FS_COPYFILE_EXCL", 1),
    ("COPYFILE_EXCL", 1),
    ("UV_FS_COPYFILE_FICLONE", 2),
    ("COPYFILE_FICLONE", 2),
    ("UV_FS_COPYFILE_FICLONE_FORCE", 4),
    ("COPYFILE_FICLONE_FORCE", 4),
];

/// The system's name.
#[op2]
#[string]
pub fn op_node_build_os() -> &'static str {
    "linux"
}

/// The constants of `node:fs`: an object of numbers.
#[op2]
pub fn op_node_fs_constants<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Object> {
    let object = v8::Object::new(scope);
    for (name, value) in FS_CONSTANTS {
        let value = v8::Integer::new_from_unsigned(scope, *value);
        if let Some(name) = v8::String::new(scope, name) {
            object.set(scope, name.into(), value.into());
        }
    }
    object
}

/// Whether a package calls, not the app: both are one bundle here. What Node.js tells an app's own code alone is not told then.
#[op2(fast)]
pub fn op_node_call_is_from_dependency() -> bool {
    true
}

/// What a file descriptor is: nothing that an isolate could use.
#[op2(fast)]
pub fn op_node_guess_handle_type(_descriptor: u32) -> u32 {
    UNKNOWN_HANDLE
}

/// Whether a view's bytes lie in a buffer already.
#[op2(fast)]
pub fn op_node_view_has_buffer(view: v8::Local<'_, v8::ArrayBufferView>) -> bool {
    view.has_buffer()
}

/// The names of an object's own properties that are no indices, chosen by V8's flags.
///
/// # Errors
/// A proxy threw, or gave none.
#[op2]
pub fn op_node_get_own_non_index_properties<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'s, v8::Object>,
    #[smi] filter: u32,
) -> Result<v8::Local<'s, v8::Array>, JsErrorBox> {
    let flags = [
        v8::PropertyFilter::ONLY_WRITABLE,
        v8::PropertyFilter::ONLY_ENUMERABLE,
        v8::PropertyFilter::ONLY_CONFIGURABLE,
        v8::PropertyFilter::SKIP_STRINGS,
        v8::PropertyFilter::SKIP_SYMBOLS,
    ];
    let chosen = flags.into_iter().enumerate().filter(|(bit, _)| filter & (1 << bit) != 0);
    let property_filter = chosen.fold(v8::PropertyFilter::ALL_PROPERTIES, |all, (_, flag)| all | flag);
    let names = object.get_property_names(
        scope,
        v8::GetPropertyNamesArgs {
            index_filter: v8::IndexFilter::SkipIndices,
            property_filter,
            key_conversion: v8::KeyConversionMode::NoNumbers,
            mode: v8::KeyCollectionMode::OwnOnly,
        },
    );
    names.ok_or_else(|| JsErrorBox::type_error("Failed to get own non-index properties"))
}

/// Bytes that the heap may grow to.
#[op2(fast)]
#[number]
pub fn op_heap_limit(scope: &mut v8::PinScope<'_, '_>) -> usize {
    scope.get_heap_statistics().heap_size_limit()
}
