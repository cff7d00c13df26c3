//! The book as a route table: built whole after a start and when an app comes or goes, and otherwise patched, so that what a change of
//! one app costs does not depend on how many others there are.

use super::book::Book;
use super::entry::Entry;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use vitrine_core::config::Config;
use vitrine_core::id::{AppName, Version, dns_label};
use vitrine_proxy::route::split::{Split, Weight};
use vitrine_proxy::route::{AppRoute, HostTarget, RouteTable, Target};

/// The table of all that is in the book.
pub(super) fn whole(book: &Book, config: &Config) -> RouteTable {
    let mut table = RouteTable {
        epoch: book.epoch(),
        domain: config.domain.clone(),
        any_host: config.any_host,
        ..RouteTable::default()
    };
    for app in book.names() {
        put(&mut table, &app, book, config);
    }
    table
}

/// The table before, with one app as it is in the book now.
pub(super) fn patched(before: &RouteTable, app: &AppName, book: &Book, config: &Config) -> RouteTable {
    if !before.apps.contains_key(app) || !book.has_releases(app) {
        // Whose the labels of other apps are depends on which apps there are.
        return whole(book, config);
    }
    let mut table = RouteTable { epoch: book.epoch(), ..before.clone() };
    for label in before.labels_of.get(app).into_iter().flat_map(|labels| labels.iter()) {
        table.labels.remove_mut(label);
    }
    put(&mut table, app, book, config);
    table
}

fn put(table: &mut RouteTable, app: &AppName, book: &Book, config: &Config) {
    let route = Arc::new(app_route(app, book));
    if route.releases.is_empty() {
        return;
    }
    let labels = labels(&route, book);
    table.labels_of.insert_mut(app.clone(), labels.keys().cloned().collect());
    for (label, leads_to) in labels {
        table.labels.insert_mut(label, leads_to);
    }
    for host in config.routes.iter().filter(|host| host.app == *app) {
        table.hosts.insert(host.host.clone(), Arc::clone(&route));
    }
    table.apps.insert_mut(app.clone(), route);
}

fn app_route(app: &AppName, book: &Book) -> AppRoute {
    let releases: Vec<Arc<Target>> = book.releases(app).iter().map(|entry| target(entry, book)).collect();
    let of = |version: &Version| releases.iter().find(|target| target.release.version == *version).cloned();
    let live = book.live(app).and_then(|entry| of(&entry.pool.release().version));
    let split = book
        .split(app)
        .and_then(|split| Some(Split { candidate: of(&split.version)?, weight: Weight::new(split.weight)? }));
    AppRoute { app: app.clone(), live, split, releases }
}

fn target(entry: &Arc<Entry>, book: &Book) -> Arc<Target> {
    let record = entry.record();
    Arc::new(Target {
        bad: book.bad(&record.id).is_some(),
        release: record.id,
        bundle: Arc::clone(&entry.bundle),
        dir: entry.dir.0.clone(),
        pool: Arc::clone(&entry.pool),
        was_live: record.promoted_ms.is_some(),
        rolled_back: record.rolled_back,
        on_trial: entry.on_trial.load(Ordering::SeqCst),
        request_bytes_max: entry.limits.request_mb << 20,
        client_stall_ms: entry.limits.client_stall_ms,
    })
}

/// The labels of an app and its releases. Each belongs to one app, and within it to one thing; that holds here even for what no upload
/// has checked, such as a release whose name another app has since.
fn labels(app: &Arc<AppRoute>, book: &Book) -> BTreeMap<String, HostTarget> {
    let mut labels = BTreeMap::new();
    labels.insert(dns_label(app.app.as_str()), HostTarget::App(Arc::clone(app)));
    for (target, entry) in app.releases.iter().zip(book.releases(&app.app)) {
        let names = [Some(target.release.version.clone()), entry.record().preview];
        for label in names.into_iter().flatten().filter_map(|name| book.label(&app.app, &name)) {
            let leads_to = HostTarget::Release(Arc::clone(app), Arc::clone(target));
            // Newest first: a preview's name leads to its newest release.
            labels.entry(label).or_insert(leads_to);
        }
    }
    labels
}

#[cfg(test)]
mod tests;
