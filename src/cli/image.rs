//! `vitrine image`.

use crate::cli::{Failure, print};
use crate::container;

/// Make the image that runs one release alone, under ECS, Kubernetes or plain Docker, and print its name
///
/// It is put together from this program, its worker and the libraries that they link, and handed to this machine's Docker,
/// unless that has it. `docker run NAME solo --bundle DIR` serves; `docker tag` and `docker push` take it elsewhere.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the verb.
pub async fn run(Args {}: Args) -> Result<(), Failure> {
    print::talk("making the image; half a gigabyte takes a while the first time");
    let image = container::worker_image().await.map_err(Failure::local("making the image"))?;
    if print::is_json() { print::json(&serde_json::json!({ "image": image })) } else { print::data(&image) }
}
