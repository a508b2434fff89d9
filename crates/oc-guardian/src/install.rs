//! Registering the jobs of an instance, and taking them away again.

pub mod render;
mod templates;
