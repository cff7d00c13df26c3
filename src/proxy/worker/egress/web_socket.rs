//! WebSockets of apps to the outside: calls that are upgraded, under the same rules.

use super::super::inbox::{Inbox, Step};
use super::answer::AnswerSink;
use super::client::RequestBody;
use super::failure::{shown, unreachable};
use super::{Asked, Egress, Held, denied, headers, own};
use crate::web_sockets::handshake::{UPGRADES, VERSION, WEBSOCKET, key, proof};
use crate::web_sockets::pump::{self, CloseReason, Inbound, Outbound};
use bytes::Bytes;
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{Either, Empty};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use std::future::{pending, poll_fn};
use std::time::Duration;
use tokio_tungstenite::tungstenite::protocol::Role;
use url::Url;
use vitrine_core::limits::{EGRESS_STALL_MS, EGRESS_WEB_SOCKETS_MAX};
use vitrine_wire::{EgressFailure, EgressHead};

impl Egress {
    /// Opens a WebSocket and carries its messages to its end. An answer that is none is passed on as it is.
    pub(super) async fn open(
        &self,
        head: &EgressHead,
        url: Url,
        messages: Option<Inbox<()>>,
        answer: &AnswerSink,
        mark: Option<&own::Mark>,
        asked: &mut Asked,
    ) -> Result<(), EgressFailure> {
        let _place = self.web_sockets.try_acquire().map_err(|_| {
            EgressFailure::Limit(format!("{EGRESS_WEB_SOCKETS_MAX} WebSockets are open already"))
        })?;
        let messages = messages.ok_or_else(|| denied("no messages", head))?;
        let key = key();
        let handshake = Box::pin(self.shake_hands(head, &url, &key, mark, asked));
        let (mut response, _held) = self.in_time(head, handshake).await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let (parts, body) = response.into_parts();
            answer.head(&parts).await;
            return answer.body(body, &head.url, |_| ()).await;
        }
        if response.headers().get(SEC_WEBSOCKET_ACCEPT) != Some(&proof(&key)) {
            return Err(EgressFailure::Unreachable(format!("{} does not speak WebSocket", shown(&url))));
        }
        let connection = hyper::upgrade::on(&mut response).await;
        let connection = connection.map_err(|error| unreachable(&url, &error))?;
        answer.head(&response.into_parts().0).await;
        let mut inbound = FromApp { messages, answer: answer.clone(), held: None, owed: 0 };
        let stall = Duration::from_millis(EGRESS_STALL_MS);
        let (io, outbound) = (TokioIo::new(connection), answer.clone());
        pump::run(io, Role::Client, stall, &mut inbound, outbound, pending(), self.app.clone()).await;
        Ok(())
    }

    async fn shake_hands(
        &self,
        head: &EgressHead,
        url: &Url,
        key: &HeaderValue,
        mark: Option<&own::Mark>,
        asked: &mut Asked,
    ) -> Result<(Response<Incoming>, Held), EgressFailure> {
        let mut headers = headers::sent(&head.headers, false).ok_or_else(|| denied("bad header", head))?;
        headers.remove(SEC_WEBSOCKET_EXTENSIONS);
        headers.insert(CONNECTION, UPGRADES);
        headers.insert(UPGRADE, WEBSOCKET);
        headers.insert(SEC_WEBSOCKET_VERSION, VERSION);
        headers.insert(SEC_WEBSOCKET_KEY, key.clone());
        let mut request: Request<RequestBody> = Request::new(Either::Left(Empty::new()));
        *request.headers_mut() = headers;
        self.ask(url, request, mark, asked).await
    }
}

/// What the app says.
struct FromApp {
    messages: Inbox<()>,
    answer: AnswerSink,
    /// What was taken and not yet given.
    held: Option<Bytes>,
    /// Credit for it.
    owed: u32,
}

impl Inbound for FromApp {
    // Dropping the future loses nothing.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.owed > 0 {
                self.answer.credit(self.owed).await;
                self.owed = 0;
            }
            if self.held.is_some() {
                return self.held.take();
            }
            match poll_fn(|cx| self.messages.poll_next(cx)).await {
                (Step::Data(data), credit) => (self.held, self.owed) = (Some(data), credit),
                (Step::End(()) | Step::Lost, _) => return None,
            }
        }
    }

    /// An app that ends without a close is gone.
    fn end_reason(&self) -> CloseReason {
        CloseReason::Leaves
    }
}

impl Outbound for AnswerSink {
    async fn send(&mut self, data: Bytes) -> bool {
        self.data(data).await;
        true
    }
}
