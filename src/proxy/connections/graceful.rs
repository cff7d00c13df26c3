//! The course of one connection: served until it ends by itself, is cut, or has finished its requests when its side is leaving.

use super::activity::{Activity, ConnectionTimeouts, TimeoutState};
use super::shutdown::Shutdown;
use hyper_util::server::graceful::GracefulConnection;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// A connection that can be asked to end.
pub trait Graceful: Future {
    /// It takes no further request.
    fn graceful_shutdown(self: Pin<&mut Self>);
}

impl<C: GracefulConnection> Graceful for C {
    fn graceful_shutdown(self: Pin<&mut Self>) {
        GracefulConnection::graceful_shutdown(self);
    }
}

/// Serves a connection of HTTP whose requests are counted by `activity`.
pub async fn run(
    connection: impl Graceful,
    activity: &Activity,
    timeouts: &ConnectionTimeouts,
    leaving: &Shutdown,
) {
    let mut taking = Some(leaving.taking());
    let timer = std::pin::pin!(tokio::time::sleep_until(at(activity, 0)));
    let mut watched = Watched {
        connection: std::pin::pin!(connection),
        timer,
        set_ms: 0,
        closing: false,
        evicted: false,
        activity,
        timeouts,
    };
    let mut stop = std::pin::pin!(leaving.stop.cancelled());
    let mut handed_over = std::pin::pin!(leaving.handed_over.cancelled());
    let mut evicted = std::pin::pin!(activity.evicted());
    loop {
        tokio::select! {
            biased;
            event = &mut watched => match event {
                // How it ended is in the requests' own log lines; a broken connection between requests is no event.
                Event::Ended | Event::Due(TimeoutState::Slow) => return,
                Event::Due(TimeoutState::Idle) if watched.closing => return,
                Event::Due(TimeoutState::Fine) => {}
                Event::Due(TimeoutState::Idle) | Event::MayClose => watched.close(),
            },
            () = &mut stop, if taking.is_some() => {
                watched.close();
                taking = None;
            }
            () = &mut handed_over, if !activity.is_leaving() => activity.leave(),
            () = &mut evicted, if !watched.evicted => {
                watched.evicted = true;
                activity.leave();
                watched.close();
            }
        }
    }
}

/// What a watched connection comes to.
enum Event {
    /// It has ended.
    Ended,
    /// A clock has reached its end, or may have.
    Due(TimeoutState),
    /// It is one of HTTP/2 that leaves: only these can close without crossing a request that is on its way.
    MayClose,
}

/// A connection and one timer, which stands at the nearest end of its clocks or before it.
struct Watched<'a, C> {
    connection: Pin<&'a mut C>,
    timer: Pin<&'a mut Sleep>,
    /// Age of the connection at which the timer ends, in milliseconds.
    set_ms: u64,
    closing: bool,
    /// It ends as soon as no request is in flight.
    evicted: bool,
    activity: &'a Activity,
    timeouts: &'a ConnectionTimeouts,
}

impl<C: Graceful> Watched<'_, C> {
    /// Ends it as its protocol does, once the requests in flight are answered.
    fn close(&mut self) {
        if !std::mem::replace(&mut self.closing, true) {
            self.connection.as_mut().graceful_shutdown();
        }
    }

    /// When the clocks are to be looked at, as an age in milliseconds. While an app is waited for no clock runs: one that begins is
    /// found after the time that a client may take no byte at the latest, also if it begins without this task.
    fn due_ms(&self) -> u64 {
        let due = self.activity.due_ms(self.timeouts);
        due.unwrap_or_else(|| self.activity.age_ms() + self.activity.stall().as_millis() as u64)
    }

    fn look_at(&mut self, age_ms: u64) {
        self.set_ms = age_ms;
        self.timer.as_mut().reset(at(self.activity, age_ms));
    }
}

impl<C: Graceful> Future for Watched<'_, C> {
    type Output = Event;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Event> {
        if self.connection.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Event::Ended);
        }
        // What HTTP/2 says when it closes is written now; a client that is silent gets no time to hear it.
        if self.activity.is_cut() || self.evicted && self.activity.idle_ms().is_some() {
            return Poll::Ready(Event::Ended);
        }
        if !self.closing && self.activity.is_leaving() && self.activity.is_h2() {
            return Poll::Ready(Event::MayClose);
        }
        let check_ms = self.timeouts.check.as_millis() as u64;
        let due = self.due_ms();
        // A clock that ends after the timer is looked at then. So the timer is rarely set between two requests.
        if due.saturating_add(check_ms) <= self.set_ms {
            self.look_at(due);
        }
        if self.timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        let next = self.due_ms().max(self.activity.age_ms() + check_ms);
        self.look_at(next);
        Poll::Ready(Event::Due(self.activity.verdict(self.timeouts)))
    }
}

/// The moment at which a connection has this age.
fn at(activity: &Activity, age_ms: u64) -> Instant {
    Instant::from_std(activity.opened()) + Duration::from_millis(age_ms)
}
