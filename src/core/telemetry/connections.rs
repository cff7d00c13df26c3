//! Counts of connections, by side.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    side: &'static str,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    side: &'static str,
    reason: &'static str,
}

/// The families of both sides.
#[derive(Debug, Clone, Default)]
pub(super) struct ConnectionFamilies {
    states: Family<StateLabels, Gauge>,
    evicted: Family<ReasonLabels, Counter>,
    refused: Family<ReasonLabels, Counter>,
}

impl ConnectionFamilies {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("connections", "Connections by state", self.states.clone());
        let evicted = self.evicted.clone();
        registry.register("connections_evicted", "Idle connections closed before their time", evicted);
        let refused = self.refused.clone();
        registry.register("connections_refused", "Connections that got no place of their own", refused);
    }

    pub(super) fn of(&self, side: Side) -> ConnectionSeries {
        let side = match side {
            Side::Edge => "edge",
            Side::Admin => "admin",
        };
        let state = |state| self.states.get_or_create_owned(&StateLabels { side, state });
        let (open, reserve, leaving) = (state("open"), state("reserve"), state("evicted"));
        for reason in Evicted::ALL {
            self.evicted.get_or_create(&ReasonLabels { side, reason: reason.as_str() }).inc_by(0);
        }
        for reason in Refused::ALL {
            self.refused.get_or_create(&ReasonLabels { side, reason: reason.as_str() }).inc_by(0);
        }
        ConnectionSeries { side, open, reserve, leaving, families: self.clone() }
    }
}

/// The counts of one side.
#[derive(Debug, Clone)]
pub struct ConnectionSeries {
    side: &'static str,
    open: Gauge,
    reserve: Gauge,
    leaving: Gauge,
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
        let labels = ReasonLabels { side: self.side, reason: why.as_str() };
        self.families.evicted.get_or_create(&labels).inc();
    }

    /// Counts a connection that gets no place of its own.
    pub fn refused(&self, why: Refused) {
        let labels = ReasonLabels { side: self.side, reason: why.as_str() };
        self.families.refused.get_or_create(&labels).inc();
    }
}
