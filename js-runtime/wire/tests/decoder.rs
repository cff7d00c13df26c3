//! The decoder under anything that a hostile peer can send, and every frame through a round trip.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use tokio_util::codec::{Decoder, Encoder};
use vitrine_wire::limits::{BODY_FRAME_BYTES_MAX, FRAME_BYTES_MAX, HEADERS_MAX};
use vitrine_wire::*;

fn encoded(frame: Frame) -> BytesMut {
    let mut bytes = BytesMut::new();
    Codec.encode(frame, &mut bytes).expect("a frame of legal size encodes");
    bytes
}

fn headers() -> impl Strategy<Value = Headers> {
    prop::collection::vec(("[a-z-]{1,20}", prop::collection::vec(any::<u8>(), 0..64)), 0..20)
        .prop_map(|pairs| pairs.into_iter().map(|(name, value)| (name, Bytes::from(value))).collect())
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop::sample::select(&Outcome::ALL[..])
}

fn error() -> impl Strategy<Value = AppError> {
    (".{0,80}", ".{0,200}").prop_map(|(message, stack)| AppError { message, stack })
}

fn settings() -> impl Strategy<Value = WorkerSettings> {
    (
        ".{0,30}",
        any::<bool>(),
        prop::collection::vec("/[a-z]{0,9}", 0..4),
        any::<[u64; 6]>(),
        any::<[u32; 6]>(),
    )
        .prop_map(|(entry, render, warm, wide, narrow)| WorkerSettings {
            entry,
            contract: if render { Contract::Render } else { Contract::Fetch },
            warm,
            host: "catalog.localhost".into(),
            limits: WorkerLimits {
                cpu_ms: wide[0],
                wall_ms: wide[1],
                heap_mb: wide[2],
                concurrency: narrow[0],
                queue: narrow[1],
                queue_ms: wide[3],
                request_mb: wide[4],
                response_mb: wide[5],
                client_stall_ms: wide[0],
                stream_idle_ms: wide[1],
                subrequests: narrow[2],
                log_lines_per_s: narrow[3],
                isolates: narrow[4],
                isolate_per_request: render,
            },
        })
}

fn frames() -> impl Strategy<Value = Frame> {
    let stream = 1..u32::MAX;
    prop_oneof![
        (any::<u16>(), any::<bool>(), any::<bool>(), ".{0,40}", any::<[u8; 32]>()).prop_map(
            |(protocol, host, requests, release, spec_hash)| Frame::Hello(Hello {
                protocol,
                peer: if host { Peer::Host } else { Peer::Worker },
                channel: if requests { Channel::Requests } else { Channel::Control },
                release,
                spec_hash,
            })
        ),
        (stream.clone(), "[A-Z]{3,7}", ".{0,200}", headers(), any::<bool>(), ".{0,40}").prop_map(
            |(stream, method, url, headers, has_body, request_id)| Frame::Request(
                stream,
                RequestHead {
                    method,
                    url,
                    headers,
                    has_body,
                    upgrade: has_body,
                    request_id,
                    ledger: has_body
                }
            )
        ),
        (stream.clone(), ".{0,200}", headers(), any::<bool>(), prop::option::of(".{0,40}")).prop_map(
            |(stream, url, headers, has_body, request_id)| Frame::Egress(
                stream,
                EgressHead {
                    method: "GET".into(),
                    url,
                    headers,
                    has_body,
                    upgrade: has_body,
                    request_id,
                    cache: None
                }
            )
        ),
        (stream.clone(), any::<u16>(), prop::option::of("[ -~]{0,40}"), headers()).prop_map(
            |(stream, status, reason, headers)| Frame::Response(
                stream,
                ResponseHead { status, reason: reason.map(Into::into), headers }
            )
        ),
        (stream.clone(), prop::collection::vec(any::<u8>(), 0..2000))
            .prop_map(|(stream, data)| Frame::Body(stream, data.into())),
        stream.clone().prop_map(Frame::BodyEnd),
        (stream.clone(), outcome(), any::<[u64; 3]>(), prop::option::of(error()), any::<bool>()).prop_map(
            |(stream, outcome, times, error, denied)| Frame::Done(
                stream,
                Done {
                    outcome,
                    queue_us: times[0],
                    render_us: times[1],
                    cpu_us: times[2],
                    error,
                    egress: denied.then(|| EgressFailure::Denied("10.0.0.1".into())),
                    reads: denied.then(|| Box::new(Reads {
                        headers: vec!["cookie".into()],
                        random: true,
                        ..Reads::default()
                    })),
                }
            )
        ),
        stream.clone().prop_map(|stream| Frame::Cancel(stream, CancelReason::ClientGone)),
        (stream, any::<u32>()).prop_map(|(stream, bytes)| Frame::Credit(stream, bytes)),
        (settings(), prop::collection::vec(("[A-Z_]{1,20}", ".{0,50}"), 0..5)).prop_map(|(settings, env)| {
            Frame::Start(Start { is_accepted: env.len() % 2 == 1, settings, env })
        }),
        (any::<u32>(), any::<u64>(), prop::option::of(".{0,200}")).prop_map(|(isolates, boot_us, failed)| {
            let failure = |message| BootFailure { stage: BootStage::Warm, message, error: None };
            let warm_failure = failed.map(|message| Box::new(failure(message)));
            Frame::Ready(Ready { isolates, boot_us, from_snapshot: true, warm_failure })
        }),
        (".{0,200}", prop::option::of(error())).prop_map(|(message, error)| Frame::BootFailed(BootFailure {
            stage: BootStage::Evaluate,
            message,
            error
        })),
        prop::collection::vec((any::<u64>(), ".{0,100}", prop::option::of(".{0,40}")), 0..10).prop_map(
            |lines| {
                let line = |(time_ms, message, request_id)| LogLine {
                    time_ms,
                    level: LogLevel::Warn,
                    request_id,
                    message,
                    stack: None,
                };
                Frame::Log(lines.into_iter().map(line).collect())
            }
        ),
        any::<u64>().prop_map(Frame::Ping),
        (any::<u64>(), any::<u32>(), any::<[u32; 2]>()).prop_map(|(nonce, queued, figures)| Frame::Pong(
            Pong {
                nonce,
                queued,
                isolates: vec![IsolateStatus {
                    state: IsolateState::Serving,
                    in_flight: figures[0],
                    heap_bytes: nonce,
                    restarts: RestartReason::ALL.map(|reason| (reason, figures[1])).to_vec(),
                    alive: true
                }],
            }
        )),
        Just(Frame::Freeze),
        Just(Frame::Thaw),
        any::<bool>().prop_map(Frame::Frozen),
        any::<u64>().prop_map(Frame::Drain),
        Just(Frame::Drained),
        (settings(), prop::collection::vec("[A-Z_]{1,9}", 0..4)).prop_map(|(settings, env_names)| {
            let harmless = vec![ModuleScopeRead::Clock, ModuleScopeRead::Env, ModuleScopeRead::Randomness];
            Frame::TakeSnapshot(SnapshotRequest { settings, env_names, harmless })
        }),
        (prop::collection::vec(any::<u8>(), 0..500), any::<bool>())
            .prop_map(|(piece, last)| Frame::SnapshotPiece(SnapshotPiece { piece: Ok(piece), last })),
    ]
}

/// Decodes until the bytes run out or the decoder gives up; a panic or an endless loop fails the test.
fn drain(bytes: &mut BytesMut) -> Result<Vec<Frame>, DecodeError> {
    let mut seen = Vec::new();
    while let Some(frame) = Codec.decode(bytes)? {
        seen.push(frame);
    }
    Ok(seen)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("VITRINE_FUZZ_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000)
    ))]

    #[test]
    fn a_frame_survives_the_round_trip(frame in frames()) {
        let mut bytes = encoded(frame.clone());
        prop_assert_eq!(drain(&mut bytes).unwrap(), vec![frame]);
        prop_assert!(bytes.is_empty());
    }

    #[test]
    fn frames_cut_anywhere_decode_to_the_same(list in prop::collection::vec(frames(), 1..6), cut in 1usize..97) {
        let mut all = BytesMut::new();
        for frame in &list {
            Codec.encode(frame.clone(), &mut all).unwrap();
        }
        let (mut fed, mut seen) = (BytesMut::new(), Vec::new());
        for piece in all.chunks(cut) {
            fed.extend_from_slice(piece);
            seen.extend(drain(&mut fed).unwrap());
        }
        prop_assert_eq!(seen, list);
    }

    #[test]
    fn random_bytes_never_panic(data in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = drain(&mut BytesMut::from(&data[..]));
    }

    #[test]
    fn a_flipped_byte_never_panics_and_never_allocates_a_claim(frame in frames(), at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut bytes = encoded(frame);
        let at = at.index(bytes.len());
        bytes[at] = to;
        let _ = drain(&mut bytes);
        prop_assert!(bytes.capacity() <= 2 * FRAME_BYTES_MAX + 4096);
    }
}

#[test]
fn a_length_above_the_bound_is_refused_before_the_payload_comes() {
    for (kind, length) in [(2u8, FRAME_BYTES_MAX + 1), (5, BODY_FRAME_BYTES_MAX + 1), (19, u32::MAX as usize)]
    {
        let mut bytes = BytesMut::from(&(length as u32).to_le_bytes()[..]);
        bytes.extend_from_slice(&[kind, 0, 0, 0, u8::from(kind < 10), 0, 0, 0]);
        assert!(matches!(Codec.decode(&mut bytes), Err(DecodeError::TooLong { .. })), "kind {kind}");
    }
}

#[test]
fn a_stream_frame_without_a_stream_and_unknown_kinds_are_refused() {
    let mut bytes = BytesMut::from(&[0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0][..]);
    assert!(matches!(Codec.decode(&mut bytes), Err(DecodeError::Header(6))));
    let mut bytes = BytesMut::from(&[0, 0, 0, 0, 200, 0, 0, 0, 1, 0, 0, 0][..]);
    assert!(matches!(Codec.decode(&mut bytes), Err(DecodeError::Kind(200))));
}

#[test]
fn too_many_headers_are_refused() {
    let headers = vec![("a".to_owned(), Bytes::new()); HEADERS_MAX + 1];
    let mut bytes = encoded(Frame::Response(1, ResponseHead::new(200, headers)));
    assert!(matches!(Codec.decode(&mut bytes), Err(DecodeError::TooMany(_))));
}

#[test]
fn what_is_too_long_is_not_encoded_and_leaves_the_buffer_as_it_was() {
    let mut bytes = encoded(Frame::Freeze);
    let before = bytes.clone();
    let huge = Frame::Ping(1);
    Codec.encode(huge, &mut bytes).unwrap();
    let length = bytes.len();
    let head = ResponseHead::new(200, vec![("a".into(), vec![0; FRAME_BYTES_MAX + 1].into())]);
    assert!(matches!(Codec.encode(Frame::Response(1, head), &mut bytes), Err(DecodeError::TooLong { .. })));
    assert_eq!(bytes.len(), length);
    assert_eq!(&bytes[..before.len()], &before[..]);
}

#[test]
fn a_start_does_not_print_its_values() {
    let start = Start {
        settings: WorkerSettings {
            entry: "server/index.js".into(),
            contract: Contract::Fetch,
            warm: vec![],
            host: "catalog.localhost".into(),
            limits: WorkerLimits {
                cpu_ms: 1,
                wall_ms: 1,
                heap_mb: 1,
                concurrency: 1,
                queue: 1,
                queue_ms: 1,
                request_mb: 1,
                response_mb: 1,
                client_stall_ms: 1,
                stream_idle_ms: 1,
                subrequests: 1,
                log_lines_per_s: 1,
                isolates: 1,
                isolate_per_request: false,
            },
        },
        env: vec![("API_KEY".into(), "hunter2".into())],
        is_accepted: false,
    };
    let text = format!("{start:?} {:?}", Frame::Start(start.clone()));
    assert!(text.contains("API_KEY") && !text.contains("hunter2"));
}
