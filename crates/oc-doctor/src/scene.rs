//! What the checks look at: the configuration as it is (or as a repair would make it) and what is known around it.

use crate::disk::{Content, Hash, OnDisk};
use crate::document::{Document, SyntaxError};
use crate::evidence::Evidence;
use crate::include;
use crate::schema::Schema;
use oc_core::config::{ConfigType, Kind};
use oc_core::world::World;
use serde_json::Value;
use std::rc::Rc;

/// One look.
#[derive(Debug, Clone)]
pub struct Scene<'a> {
    /// The instance.
    pub world: &'a World,
    /// The configuration file.
    pub file: OnDisk,
    /// What it says; `None` when there are no bytes to understand.
    pub parsed: Option<Result<Document, SyntaxError>>,
    /// What it says with every `$include` in its place.
    pub effective: Option<Value>,
    /// Included files, in order of first use.
    pub includes: Vec<OnDisk>,
    /// Includes that cannot be followed, as sentences.
    pub include_faults: Vec<(String, String)>,
    /// What is known about how the service takes this configuration.
    pub evidence: Evidence,
    /// What the installed version accepts.
    pub schema: Rc<Schema>,
    /// Hash of the content on disk, when the service refused it. Stays when another content is tried out, so that a
    /// repair is judged as strictly as what it repairs.
    pub refused: Option<Hash>,
    /// The plugin that the log of a failed start names.
    pub accused: Option<String>,
}

impl<'a> Scene<'a> {
    /// Looks at the disk.
    #[must_use]
    pub fn look(world: &'a World, evidence: Evidence) -> Self {
        let schema = Rc::new(Schema::of(world));
        let file = OnDisk::read(world.paths.service_config());
        let refused = file.hash.clone().filter(|_| evidence.refused(&file));
        let mut scene = Self::build(world, file, evidence, schema, refused);
        scene.accused = crate::checks::plugin::accused(&scene);
        scene
    }

    /// The same, were the configuration's bytes these.
    #[must_use]
    pub fn with_bytes(&self, bytes: &[u8]) -> Self {
        let mut file = self.file.clone();
        file.content = Content::Bytes(bytes.to_vec());
        file.hash = Some(Hash::of(bytes));
        self.were(file)
    }

    /// The same, were nothing there.
    #[must_use]
    pub fn without_file(&self) -> Self {
        let mut file = self.file.clone();
        (file.content, file.hash) = (Content::Missing, None);
        self.were(file)
    }

    fn were(&self, file: OnDisk) -> Self {
        let (evidence, schema) = (self.evidence.clone(), Rc::clone(&self.schema));
        Self {
            accused: self.accused.clone(),
            ..Self::build(self.world, file, evidence, schema, self.refused.clone())
        }
    }

    /// A fresh look at the disk with the evidence of this one.
    #[must_use]
    pub fn again(&self) -> Self {
        let mut found = Self::look(self.world, self.evidence.clone());
        if found.file.hash == self.refused {
            // Written anew, but the very content that was refused.
            found.refused.clone_from(&self.refused);
        }
        found
    }

    fn build(world: &'a World, file: OnDisk, evidence: Evidence, schema: Rc<Schema>, refused: Option<Hash>) -> Self {
        let kind = world.config.service.config_type;
        let parsed = match (kind, file.bytes()) {
            (ConfigType::None, _) | (_, None) => None,
            (kind, Some(bytes)) => Some(Document::parse(bytes, kind)),
        };
        let (mut includes, mut include_faults, mut effective) = (Vec::new(), Vec::new(), None);
        if let Some(Ok(document)) = &parsed {
            let found = include::resolve(&document.value, &file.target, kind);
            (includes, include_faults, effective) = (found.files, found.faults, Some(found.value));
        }
        Self {
            world,
            file,
            parsed,
            effective,
            includes,
            include_faults,
            evidence,
            schema,
            refused,
            accused: None,
        }
    }

    /// The configuration, when it can be understood.
    #[must_use]
    pub fn document(&self) -> Option<&Document> {
        self.parsed.as_ref()?.as_ref().ok()
    }

    /// Whether the service has a configuration that is looked at.
    #[must_use]
    pub fn has_config(&self) -> bool {
        self.world.config.service.config_type != ConfigType::None
            && (self.openclaw() || self.world.config.service.config_file.is_some())
    }

    /// Whether what is known about OpenClaw applies.
    #[must_use]
    pub fn openclaw(&self) -> bool {
        self.world.config.service.kind == Kind::Openclaw
    }

    /// The effective value at a dotted path.
    #[must_use]
    pub fn get(&self, dotted: &str) -> Option<&Value> {
        crate::document::at(self.effective.as_ref()?, &crate::document::keys(dotted))
    }
}
