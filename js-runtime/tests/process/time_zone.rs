//! The time zone of an app: a value of its environment, so one for each process.

use crate::worker::{Worker, start};

const APP: &str = "
const atModuleScope = new Date(2026, 6, 1).toISOString();
export default { fetch: () => new Response([
  atModuleScope, new Date(0).getHours(), new Date(0).getTimezoneOffset(), Intl.DateTimeFormat().resolvedOptions().timeZone, process.env.TZ,
].join()) };";

#[tokio::test]
async fn dates_follow_the_time_zone_of_the_environment() {
    for (zone, told) in [
        (Some("Europe/Berlin"), "2026-06-30T22:00:00.000Z,1,-60,Europe/Berlin,Europe/Berlin"),
        (Some("America/New_York"), "2026-07-01T04:00:00.000Z,19,300,America/New_York,America/New_York"),
        (None, "2026-07-01T00:00:00.000Z,0,0,UTC,"),
    ] {
        let mut start = start();
        start.env.extend(zone.map(|zone| ("TZ".to_owned(), zone.to_owned())));
        let worker = Worker::start(APP);
        let (_control, mut requests) = worker.serving_as(start).await;
        let answer = requests.fetch(1, "/").await;
        assert_eq!(String::from_utf8_lossy(&answer.body), told, "{zone:?}");
    }
}
