//! Frames to exchanges and back.
