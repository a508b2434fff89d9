//! One file per view.

pub(crate) mod digest;
pub(crate) mod forecast;
pub(crate) mod html;
pub(crate) mod metrics;
pub(crate) mod status;
mod svg;
pub(crate) mod timeline;
