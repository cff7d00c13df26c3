//! What an operator is told of the host beside an answer about what runs on it.

use crate::admin::notice::Notice;
use crate::admin::state::AdminState;
use std::time::Duration;
use vitrine_bundle::Room;
use vitrine_core::config::Isolation;
use vitrine_core::limits::{CONDITION_CHECK_MS, DISK_SHORT_TIMES};

impl AdminState {
    /// Each of them, as things stand.
    pub(super) async fn notices(&self) -> Vec<Notice> {
        let (engine, disk) = tokio::join!(self.engine_notice(), self.disk_notice());
        let texts = engine.map(String::from).into_iter().chain(disk);
        self.notice.clone().into_iter().chain(texts.filter_map(|text| Notice::of(&text))).collect()
    }

    async fn engine_notice(&self) -> Option<&'static str> {
        let check =
            tokio::time::timeout(Duration::from_millis(CONDITION_CHECK_MS), self.releases.check_engine());
        let answers = matches!(check.await, Ok(Ok(())));
        (!answers).then(|| away(self.releases.isolation()))
    }

    async fn disk_notice(&self) -> Option<String> {
        let folder = self.store.layout().root().to_owned();
        // What can't be asked now is not known to be full.
        let room = tokio::task::spawn_blocking(move || Room::of(&folder)).await.ok()?.ok()?;
        short(room)
    }
}

const fn away(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::Container => {
            "Docker does not answer: what runs goes on, and no worker can be started or removed until it does; `vitrine doctor` looks at it"
        }
        Isolation::Process => {
            "the engine process of this host does not answer: no worker can be started or removed until it does"
        }
    }
}

/// Says that there is little room.
fn short(room: Room) -> Option<String> {
    let Room { free_bytes, kept_bytes } = room;
    (free_bytes < kept_bytes * DISK_SHORT_TIMES).then(|| {
        format!(
            "the disk of the data folder has {} MiB free; deploys are refused below {} MiB: free some, or remove releases",
            free_bytes >> 20,
            kept_bytes >> 20
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_short_before_deploys_are_refused() {
        let room = |free_mib: u64| Room { free_bytes: free_mib << 20, kept_bytes: 256 << 20 };
        assert_eq!(short(room(1024)), None);
        let told = short(room(1023)).unwrap();
        assert!(told.contains("has 1023 MiB free") && told.contains("below 256 MiB"), "{told}");
    }
}
