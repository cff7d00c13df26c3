//! What a render process gives up before it runs an app.
