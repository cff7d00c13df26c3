//! `vitrine image`.

use crate::cli::{Failure, print};
use vitrine_engine as engine;

/// Build the image that runs one release alone, under ECS, Kubernetes or plain Docker, and print its name
///
/// It consists of this program, its worker and the libraries that they link, and is loaded into this machine's Docker unless it is there
/// already. `docker run NAME solo --bundle DIR` serves a release; `docker tag` and `docker push` publish the image.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// Runs the verb.
pub(super) async fn run(Args {}: Args) -> Result<(), Failure> {
    print::talk("building the image; it has half a gigabyte, so the first time takes a while");
    let image = engine::worker_image().await.map_err(Failure::local("making the image"))?;
    if print::is_json() { print::json(&serde_json::json!({ "image": image })) } else { print::data(&image) }
}
