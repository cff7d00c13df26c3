//! Counts of connections, by side.

use super::families::{counters, gauges};
use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Registry};

/// Whose connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The public one.
    Edge,
    /// The operators'.
    Admin,
}

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It has a place of its own.
    Open,
    /// It has a place of the reserve: it is told that there is no other.
    Reserve,
    /// It was told to go and has not ended yet.
    Evicted,
}

/// For what an idle connection is closed before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evicted {
    /// For another client's, because all places are taken.
    All,
    /// For another one of the same client, which has as many as it may.
    Client,
    /// For another one in the reserve.
    Reserve,
    /// For the next ones, because few places are left.
    Pressure,
    /// Because the process can't open more files.
    Files,
}

impl Evicted {
    /// Every reason.
    const ALL: [Self; 5] = [Self::All, Self::Client, Self::Reserve, Self::Pressure, Self::Files];

    const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Client => "client",
            Self::Reserve => "reserve",
            Self::Pressure => "pressure",
            Self::Files => "files",
        }
    }
}

/// For what a connection gets no place of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// All places are taken.
    All,
    /// All places of its client are taken.
    Client,
    /// All places are taken, those of the reserve among them.
    Reserve,
}

impl Refused {
    /// Every reason.
    const ALL: [Self; 3] = [Self::All, Self::Client, Self::Reserve];

    const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Client => "client",
            Self::Reserve => "reserve",
        }
    }
}

/// The families of both sides.
#[derive(Debug, Clone)]
pub(super) struct ConnectionFamilies {
    states: IntGaugeVec,
    evicted: IntCounterVec,
    refused: IntCounterVec,
}

impl ConnectionFamilies {
    pub(super) fn new(registry: &Registry) -> Self {
        let states = gauges(registry, "connections", "Connections by state", &["side", "state"]);
        let counters = |name, help| counters(registry, name, help, &["side", "reason"]);
        let evicted = counters("connections_evicted_total", "Idle connections closed before their time");
        let refused = counters("connections_refused_total", "Connections that got no place of their own");
        Self { states, evicted, refused }
    }

    pub(super) fn of(&self, side: Side) -> ConnectionSeries {
        let side = match side {
            Side::Edge => "edge",
            Side::Admin => "admin",
        };
        let state = |state| self.states.with_label_values(&[side, state]);
        let (open, reserve, leaving) = (state("open"), state("reserve"), state("evicted"));
        for reason in Evicted::ALL {
            self.evicted.with_label_values(&[side, reason.as_str()]);
        }
        for reason in Refused::ALL {
            self.refused.with_label_values(&[side, reason.as_str()]);
        }
        ConnectionSeries { side, open, reserve, leaving, families: self.clone() }
    }
}

/// The counts of one side.
#[derive(Debug, Clone)]
pub struct ConnectionSeries {
    side: &'static str,
    open: IntGauge,
    reserve: IntGauge,
    leaving: IntGauge,
    families: ConnectionFamilies,
}

impl ConnectionSeries {
    /// Says how many connections are in a state.
    pub fn set(&self, state: State, connections: usize) {
        let gauge = match state {
            State::Open => &self.open,
            State::Reserve => &self.reserve,
            State::Evicted => &self.leaving,
        };
        gauge.set(i64::try_from(connections).unwrap_or(i64::MAX));
    }

    /// Counts an idle connection that is closed before its time.
    pub fn evicted(&self, why: Evicted) {
        self.families.evicted.with_label_values(&[self.side, why.as_str()]).inc();
    }

    /// Counts a connection that gets no place of its own.
    pub fn refused(&self, why: Refused) {
        self.families.refused.with_label_values(&[self.side, why.as_str()]).inc();
    }
}
