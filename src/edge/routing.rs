//! The step of a request that asks the routing rules.

use super::address::Refusal;
use super::context::RequestContext;
use super::response::Failure;
use super::routed::Routed;
use http::StatusCode;
use http::header::AUTHORIZATION;
use std::sync::Arc;
use vitrine_core::id::AppName;
use vitrine_proxy::route::RouteTable;
use vitrine_proxy::rules::{Entry, Facts, Rules, path};

/// Asks the rules of a table, and notes what they make of the request.
///
/// # Errors
/// The path is one that servers read differently.
pub(crate) fn ask(
    context: &mut RequestContext,
    rules: Arc<Rules>,
    table: &RouteTable,
) -> Result<(), Failure> {
    let visitor = context.visitor.id.to_string();
    let sent_path = context.info.uri.path();
    let resolved = path::resolved(sent_path)
        .ok_or(Refusal::bad("the path has dot segments beside empty segments or escaped slashes"))?;
    let facts = facts(context, &visitor, &resolved);
    context.routed = Some(Box::new(Routed::of(rules, table, &facts, sent_path)));
    Ok(())
}

/// Chooses the variants of an app's experiments, for a request that the app will answer.
pub(crate) fn choose_variants(context: &mut RequestContext, app: &AppName) {
    let Some(mut routed) = context.routed.take() else { return };
    let visitor = context.visitor.id.to_string();
    let sent_path = context.info.uri.path();
    routed.choose_variants(app, &facts(context, &visitor, sent_path));
    context.routed = Some(routed);
}

/// Whether the rule that holds lets the client in. A password that opens it does not go on to the app.
///
/// # Errors
/// What to answer instead.
pub(crate) fn enter(context: &mut RequestContext) -> Result<(), Failure> {
    let Some(door) = context.routed.as_ref().and_then(|routed| routed.rule()?.door.as_deref()) else {
        return Ok(());
    };
    let (guards, takes_password) = (door.guards(), door.takes_password());
    let entry = door.enter(context.info.client, &context.headers);
    context.guarded |= guards;
    match entry {
        Entry::Open => {
            if takes_password {
                context.headers.remove(AUTHORIZATION);
            }
            Ok(())
        }
        Entry::Refused => {
            Err(Refusal::client(StatusCode::FORBIDDEN, "This address may not be seen from your network.")
                .into())
        }
        Entry::NeedsPassword => {
            Err(Refusal::client(StatusCode::UNAUTHORIZED, "This address asks for a user and a password.")
                .into())
        }
        Entry::TooMany { retry_after_s } => Err(Failure { retry_after_s, ..Failure::too_many() }),
    }
}

fn facts<'a>(context: &'a RequestContext, visitor: &'a str, sent_path: &'a str) -> Facts<'a> {
    Facts {
        host: &context.address.host,
        sent_path,
        query: context.info.uri.query(),
        method: &context.info.method,
        headers: &context.headers,
        client: context.info.client,
        visitor,
    }
}
