//! What JavaScript may ask of the worker: the ops behind `js/`.

pub mod answer;
pub mod crypto;
pub mod fetch;
pub mod file;
pub mod keys;
pub mod log;
pub mod module_scope;
pub mod node_buffer;
pub mod node_names;
pub mod node_system;
pub mod request;
pub mod timer;
pub mod zlib;

use crate::bundle::Bundle;
use crate::isolate::shared::Shared;
use deno_core::OpState;
use std::rc::Rc;

deno_core::extension!(
    vitrine,
    deps = [deno_web],
    ops = [
        answer::op_answer_bytes,
        answer::op_answer_end,
        answer::op_answer_fail,
        answer::op_answer_head,
        answer::op_answer_page,
        answer::op_answer_text,
        crypto::op_digest,
        crypto::op_hmac,
        crypto::op_random_fill,
        crypto::op_random_uuid,
        crypto::op_same_bytes,
        fetch::op_fetch,
        fetch::op_fetch_drop,
        fetch::op_fetch_read,
        fetch::op_fetch_rest,
        fetch::op_fetch_rest_text,
        fetch::op_upload_end,
        fetch::op_upload_open,
        fetch::op_upload_send,
        file::op_file_names,
        file::op_file_read,
        file::op_file_size,
        file::op_file_time_ms,
        keys::op_aes_gcm_open,
        keys::op_aes_gcm_seal,
        keys::op_generate_key,
        keys::op_hkdf,
        keys::op_pbkdf2,
        keys::op_public_key,
        keys::op_sign,
        keys::op_verify,
        log::op_built_in,
        log::op_built_ins,
        log::op_log,
        log::op_mark_logged,
        log::op_now_ns,
        log::op_report,
        module_scope::op_module_scope_read,
        node_buffer::op_is_ascii,
        node_buffer::op_is_utf8,
        node_buffer::op_mark_as_untransferable,
        node_buffer::op_node_buffer_compare,
        node_buffer::op_node_buffer_compare_offset,
        node_buffer::op_node_encoding_slice,
        node_buffer::op_transcode,
        node_names::op_ip_address,
        node_names::op_node_idna_domain_to_ascii,
        node_names::op_node_idna_domain_to_unicode,
        node_names::op_node_idna_punycode_decode,
        node_names::op_node_idna_punycode_encode,
        node_names::op_node_idna_punycode_to_ascii,
        node_names::op_node_idna_punycode_to_unicode,
        node_names::op_node_idna_to_ascii,
        node_system::op_heap_limit,
        node_system::op_node_build_os,
        node_system::op_node_call_is_from_dependency,
        node_system::op_node_fs_constants,
        node_system::op_node_get_own_non_index_properties,
        node_system::op_node_guess_handle_type,
        node_system::op_node_view_has_buffer,
        request::op_body_read,
        request::op_request_headers,
        request::op_wait_until,
        timer::op_task,
        timer::op_cancel,
        timer::op_timer_start,
        zlib::op_zlib_brotli_decoder,
        zlib::op_zlib_brotli_encoder,
        zlib::op_zlib_close,
        zlib::op_zlib_crc32,
        zlib::op_zlib_flate,
        zlib::op_zlib_message,
        zlib::op_zlib_one_member,
        zlib::op_zlib_reset,
        zlib::op_zlib_set_level,
        zlib::op_zlib_step,
    ],
    options = { shared: Rc<Shared>, bundle: Bundle },
    state = |state, options| {
        state.put(options.shared);
        state.put(options.bundle);
    },
);

/// The isolate's own state.
fn shared(state: &OpState) -> Rc<Shared> {
    Rc::clone(state.borrow::<Rc<Shared>>())
}
