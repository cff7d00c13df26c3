use super::super::registry::tests::handle;
use super::*;
use proptest::prelude::*;
use vitrine_store::{Promotion, PromotionKind, SplitRecord};

const NAMES: [&str; 4] = ["a", "a-b", "a-b-c", "d"];
const VERSIONS: [&str; 4] = ["v", "b-v", "c-v", "w"];

#[derive(Debug, Clone)]
enum Step {
    Add(usize, usize, Option<usize>),
    Remove(usize, usize),
    Promote(usize, usize),
    Share(usize, usize),
    RemoveApp(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (app, version) = (0..NAMES.len(), 0..VERSIONS.len());
    let release = (app.clone(), version.clone());
    let added = (app.clone(), version.clone(), prop::option::of(version));
    let step = prop_oneof![
        4 => added.prop_map(|(app, version, preview)| Step::Add(app, version, preview)),
        2 => release.clone().prop_map(|(app, version)| Step::Remove(app, version)),
        3 => release.clone().prop_map(|(app, version)| Step::Promote(app, version)),
        2 => release.prop_map(|(app, version)| Step::Share(app, version)),
        1 => app.prop_map(Step::RemoveApp),
    ];
    prop::collection::vec(step, 1..40)
}

fn version(at: usize) -> Version {
    VERSIONS[at].parse().unwrap()
}

/// Does a step; gives the app that it is about.
fn take(registry: &Registry, step: &Step, epoch: u64) -> AppName {
    let (Step::Add(at, ..)
    | Step::Remove(at, _)
    | Step::Promote(at, _)
    | Step::Share(at, _)
    | Step::RemoveApp(at)) = step;
    let app: AppName = NAMES[*at].parse().unwrap();
    let id = |at: usize| vitrine_core::id::ReleaseId::new(app.clone(), version(at));
    match step {
        Step::Add(_, at, preview) if registry.release(&id(*at)).is_none() => {
            let added = handle(&id(*at).to_string());
            added.update(|record| record.preview = preview.map(version));
            registry.add(added);
        }
        Step::Remove(_, at) => registry.remove(&id(*at)),
        Step::Promote(_, at) => {
            if let Some(handle) = registry.release(&id(*at)) {
                handle.update(|record| record.promoted_ms = Some(epoch));
                let (version, kind) = (version(*at), PromotionKind::Promote);
                registry.promoted(&app, Promotion { epoch, version, from: None, kind, at_ms: epoch });
            }
        }
        Step::Share(_, at) if registry.knows(&app) => {
            registry.set_split(&app, Some(SplitRecord { version: version(*at), weight: 5 }));
        }
        Step::RemoveApp(_) => {
            registry.remove_app(&app);
            registry.hold_names([app.clone()]);
        }
        Step::Add(..) | Step::Share(..) => {}
    }
    registry.set_epoch(epoch);
    app
}

fn routes_of(app: &AppRoute) -> String {
    let version = |target: &Target| target.release.version.to_string();
    let releases = app.releases.iter().map(|target| (version(target), target.was_live, target.rolled_back));
    let split = app.split.as_ref().map(|split| (version(&split.candidate), split.weight));
    format!("{} {:?} {split:?} {:?}", app.app, app.live.as_deref().map(version), releases.collect::<Vec<_>>())
}

/// Everything that a request can find in a table.
fn told(table: &RouteTable) -> (u64, BTreeMap<String, String>, BTreeMap<String, String>) {
    let leads_to = |target: &HostTarget| match target {
        HostTarget::App(app) => routes_of(app),
        HostTarget::Release(app, target) => format!("{} of {}", target.release, routes_of(app)),
    };
    let labels = table.labels.iter().map(|(label, target)| (label.clone(), leads_to(target)));
    let apps = table.apps.iter().map(|(app, route)| (app.to_string(), routes_of(route)));
    let hosts = table.hosts.iter().map(|(host, route)| (format!("host {host}"), routes_of(route)));
    (table.epoch, labels.collect(), apps.chain(hosts).collect())
}

fn config() -> Config {
    let routes = NAMES[..2].iter().map(|app| vitrine_core::config::HostRoute {
        host: format!("www.{app}.example"),
        app: app.parse().unwrap(),
    });
    Config { routes: routes.collect(), ..Config::default() }
}

proptest! {
    /// A table that is patched with each change says what one that is built of the whole book says.
    #[test]
    fn a_patched_table_is_the_whole_one(steps in steps()) {
        let (registry, config) = (Registry::default(), config());
        let mut table = whole(&registry, &config);
        for (epoch, step) in (1..).zip(&steps) {
            let app = take(&registry, step, epoch);
            table = patched(&table, &app, &registry, &config);
            prop_assert_eq!(told(&table), told(&whole(&registry, &config)), "after {:?}", step);
        }
    }
}

/// What a change of one app costs does not depend on the others: their part of the table is the same one.
#[test]
fn a_patch_leaves_the_routes_of_other_apps_as_they_are() {
    let (registry, config) = (Registry::default(), Config::default());
    (0..1_000).for_each(|number| registry.add(handle(&format!("app{number}@v1"))));
    let before = whole(&registry, &config);
    let app: AppName = "app500".parse().unwrap();
    registry.add(handle("app500@v2"));
    let begun = std::time::Instant::now();
    let after = patched(&before, &app, &registry, &config);
    let patching = begun.elapsed();
    let begun = std::time::Instant::now();
    assert_eq!(told(&whole(&registry, &config)), told(&after));
    println!("1,000 apps: patched in {patching:?}; built and compared in {:?}", begun.elapsed());
    for (name, route) in after.apps.iter() {
        let same = Arc::ptr_eq(route, before.apps.get(name).unwrap());
        assert_eq!(same, *name != app, "{name}");
    }
    assert_eq!((before.labels.size(), after.labels.size()), (2_000, 2_001));
}
