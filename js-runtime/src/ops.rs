//! The ops behind `js/`: everything that JavaScript may ask of the worker.

pub mod answer;
pub mod crypto;
pub mod fetch;
pub mod file;
pub mod ledger;
pub mod log;
pub mod module_scope;
pub mod node_buffer;
pub mod node_names;
pub mod node_system;
pub mod purge;
pub mod request;
pub mod socket;
pub mod timer;
pub mod zlib;

use crate::bundle::Bundle;
use crate::isolate::state::RuntimeState;
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
        file::op_bundle_names_deno,
        crypto::cipher::op_aes_wrap,
        crypto::cipher::op_cipher,
        crypto::cipher::op_cipher_authenticate,
        crypto::cipher::op_cipher_finish,
        crypto::cipher::op_cipher_pads,
        crypto::cipher::op_cipher_tag,
        crypto::cipher::op_cipher_update,
        crypto::curve::op_ec_agree,
        crypto::curve::op_ec_compressed,
        crypto::curve::op_ec_generate,
        crypto::curve::op_ec_private_key,
        crypto::curve::op_ec_public_key,
        crypto::curve::op_ec_sign,
        crypto::curve::op_ec_signature_from_der,
        crypto::curve::op_ec_signature_to_der,
        crypto::curve::op_ec_verify,
        crypto::derivation::op_hkdf,
        crypto::derivation::op_pbkdf2,
        crypto::derivation::op_pbkdf2_step,
        crypto::derivation::op_scrypt,
        crypto::edwards::op_ed25519_sign,
        crypto::edwards::op_ed25519_verify,
        crypto::edwards::op_edwards_generate,
        crypto::edwards::op_edwards_private_key,
        crypto::edwards::op_x25519_agree,
        crypto::hash::op_digest,
        crypto::hash::op_hasher,
        crypto::hash::op_hasher_copy,
        crypto::hash::op_hasher_update,
        crypto::hash::op_hasher_value,
        crypto::hash::op_hmac,
        crypto::key_file::op_key_read,
        crypto::key_file::op_key_write,
        crypto::op_random_fill,
        crypto::op_random_uuid,
        crypto::op_same_bytes,
        crypto::rsa::op_rsa_decrypt,
        crypto::rsa::op_rsa_encrypt,
        crypto::rsa::op_rsa_key,
        crypto::rsa::op_rsa_numbers,
        crypto::rsa::op_rsa_public_key,
        crypto::rsa::op_rsa_sign,
        crypto::rsa::op_rsa_verify,
        crypto::rsa_generation::op_rsa_search,
        crypto::rsa_generation::op_rsa_search_step,
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
        ledger::op_read_cookie,
        ledger::op_read_header,
        ledger::op_read_random,
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
        purge::op_purge,
        request::op_body_read,
        request::op_request_headers,
        request::op_wait_until,
        socket::op_socket_accept,
        socket::op_socket_close,
        socket::op_socket_end,
        socket::op_socket_open,
        socket::op_socket_read,
        socket::op_socket_send_bytes,
        socket::op_socket_send_text,
        socket::op_socket_waiting,
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
    options = { shared: Rc<RuntimeState>, bundle: Bundle },
    state = |state, options| {
        state.put(options.shared);
        state.put(options.bundle);
    },
);

/// The isolate's own state.
fn shared(state: &OpState) -> Rc<RuntimeState> {
    Rc::clone(state.borrow::<Rc<RuntimeState>>())
}
