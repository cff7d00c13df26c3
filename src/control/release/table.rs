//! The registry as a route table: built whole after a start and when an app comes or goes, and otherwise patched, so that what a change of
//! one app costs does not depend on how many others there are.

use super::registry::Registry;
use super::release_handle::ReleaseHandle;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use vitrine_bundle::Bundle;
use vitrine_core::config::Config;
use vitrine_core::id::{AppName, Version, dns_label};
use vitrine_core::limits::RENDER_GRACE_MS;
use vitrine_proxy::route::split::{Split, Weight};
use vitrine_proxy::route::{AppRoute, HostTarget, RouteTable, Target};
use vitrine_store::ReleaseRecord;

/// The table of all that is in the registry.
pub(super) fn whole(registry: &Registry, config: &Config) -> RouteTable {
    let mut table = RouteTable {
        epoch: registry.epoch(),
        domain: config.domain.clone(),
        any_host: config.any_host,
        ..RouteTable::default()
    };
    for app in registry.names() {
        put(&mut table, &app, registry, config);
    }
    table
}

/// The table before, with one app as it is in the registry now.
pub(super) fn patched(
    before: &RouteTable,
    app: &AppName,
    registry: &Registry,
    config: &Config,
) -> RouteTable {
    if !before.apps.contains_key(app) || !registry.has_releases(app) {
        // Whose the labels of other apps are depends on which apps there are.
        return whole(registry, config);
    }
    let mut table = RouteTable { epoch: registry.epoch(), ..before.clone() };
    for label in before.labels_of.get(app).into_iter().flat_map(|labels| labels.iter()) {
        table.labels.remove_mut(label);
    }
    put(&mut table, app, registry, config);
    table
}

fn put(table: &mut RouteTable, app: &AppName, registry: &Registry, config: &Config) {
    let route = Arc::new(app_route(app, registry, config));
    if route.releases.is_empty() {
        return;
    }
    let labels = labels(&route, registry);
    table.labels_of.insert_mut(app.clone(), labels.keys().cloned().collect());
    for (label, leads_to) in labels {
        table.labels.insert_mut(label, leads_to);
    }
    for host in config.routes.iter().filter(|host| host.app == *app) {
        table.hosts.insert(host.host.clone(), Arc::clone(&route));
    }
    table.apps.insert_mut(app.clone(), route);
}

fn app_route(app: &AppName, registry: &Registry, config: &Config) -> AppRoute {
    let releases: Vec<Arc<Target>> =
        registry.releases(app).iter().map(|handle| target(handle, registry, config)).collect();
    let of = |version: &Version| releases.iter().find(|target| target.release.version == *version).cloned();
    let live = registry.live(app).and_then(|handle| of(&handle.pool.release().version));
    let split = registry
        .split(app)
        .and_then(|split| Some(Split { candidate: of(&split.version)?, weight: Weight::new(split.weight)? }));
    AppRoute { app: app.clone(), live, split, releases }
}

pub(super) fn target(handle: &Arc<ReleaseHandle>, registry: &Registry, config: &Config) -> Arc<Target> {
    let record = handle.record();
    let pages = pages_of(&record, &handle.bundle).into();
    Arc::new(Target {
        bad: registry.bad(&record.id).is_some(),
        release: record.id,
        bundle: Arc::clone(&handle.bundle),
        pages,
        dir: handle.dir.0.clone(),
        deltas: config.edge.deltas.then(|| Arc::clone(&handle.deltas)),
        pool: Arc::clone(&handle.pool),
        was_live: record.promoted_ms.is_some(),
        rolled_back: record.rolled_back,
        on_trial: handle.on_trial.load(Ordering::SeqCst),
        request_bytes_max: handle.limits.request_mb << 20,
        client_stall_ms: handle.limits.client_stall_ms,
        head_timeout_ms: handle.limits.wall_ms + handle.limits.queue_ms + RENDER_GRACE_MS,
        stream_timeout_ms: handle.limits.stream_idle_ms + RENDER_GRACE_MS,
    })
}

/// A preview that is promoted gets other values under the same version.
fn pages_of(record: &ReleaseRecord, bundle: &Bundle) -> String {
    let ReleaseRecord { id, config_revision, env_scope, .. } = record;
    format!("{} {} {config_revision} {env_scope:?}", id.version, bundle.digest.short())
}

/// The labels of an app and its releases. Each belongs to one app, and within it to one thing; that holds here even for what no upload
/// has checked, such as a release whose name another app has since.
fn labels(app: &Arc<AppRoute>, registry: &Registry) -> BTreeMap<String, HostTarget> {
    let mut labels = BTreeMap::new();
    labels.insert(dns_label(app.app.as_str()), HostTarget::App(Arc::clone(app)));
    for (target, handle) in app.releases.iter().zip(registry.releases(&app.app)) {
        let names = [Some(target.release.version.clone()), handle.record().preview];
        for label in names.into_iter().flatten().filter_map(|name| registry.label(&app.app, &name)) {
            let leads_to = HostTarget::Release(Arc::clone(app), Arc::clone(target));
            // Newest first: a preview's name leads to its newest release.
            labels.entry(label).or_insert(leads_to);
        }
    }
    labels
}

#[cfg(test)]
mod tests;
