//! Logs and metrics: set-up, and names declared once.
