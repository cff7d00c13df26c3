//! What of a request, besides its address and method, a decision depends on: caches between here and the client must know.

use http::HeaderName;
use http::header::COOKIE;
use vitrine_core::config::{ExperimentRules, JwtRules};

/// Header that forces a variant of an experiment.
pub const FORCE_HEADER: HeaderName = HeaderName::from_static("x-vitrine-experiment");

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Depends {
    /// Headers: an answer varies with them.
    headers: Vec<HeaderName>,
    /// What no header says, such as the client's address, or what is the visitor's own: no shared cache may keep the answer.
    private: bool,
    /// The visitor's number, which a new visitor has to be given.
    visitor: bool,
}

impl Depends {
    /// On this header.
    #[must_use]
    pub(super) fn on_header(name: &HeaderName) -> Self {
        Self { headers: vec![name.clone()], ..Self::default() }
    }

    /// On a cookie.
    #[must_use]
    pub(super) fn on_cookie() -> Self {
        Self::on_header(&COOKIE)
    }

    /// On what is the client's or the visitor's alone.
    #[must_use]
    pub(super) fn on_client() -> Self {
        Self { private: true, ..Self::default() }
    }

    /// On the visitor's number.
    #[must_use]
    pub fn on_visitor() -> Self {
        Self { private: true, visitor: true, ..Self::default() }
    }

    /// And on this.
    pub fn add(&mut self, other: &Self) {
        for name in &other.headers {
            if !self.headers.contains(name) {
                self.headers.push(name.clone());
            }
        }
        self.private |= other.private;
        self.visitor |= other.visitor;
    }

    /// Headers that the answer varies with.
    #[must_use]
    pub fn headers(&self) -> &[HeaderName] {
        &self.headers
    }

    /// Whether shared caches must not keep the answer.
    #[must_use]
    pub const fn is_private(&self) -> bool {
        self.private
    }

    /// Whether a visitor without a number must be given one.
    #[must_use]
    pub const fn is_on_visitor(&self) -> bool {
        self.visitor
    }
}

/// What the choice of a variant depends on.
pub(super) fn unit_depends(experiment: &ExperimentRules, jwt: Option<&JwtRules>) -> Depends {
    let mut depends = match experiment.unit.split_once(':') {
        Some(("cookie", _)) => Depends::on_cookie(),
        Some(("header", name)) => {
            name.parse().map_or_else(|_| Depends::on_client(), |name| Depends::on_header(&name))
        }
        Some(_) => jwt_depends(jwt),
        None => Depends::on_visitor(),
    };
    if experiment.force_key_file.is_some() {
        depends.add(&Depends::on_header(&FORCE_HEADER));
    }
    depends
}

/// A token is one visitor's: what it decides is kept by no shared cache.
pub(super) fn jwt_depends(jwt: Option<&JwtRules>) -> Depends {
    let mut depends = Depends::on_client();
    let header = jwt.and_then(|jwt| jwt.header.as_ref()?.parse().ok());
    depends.add(&header.map_or_else(Depends::on_cookie, |name| Depends::on_header(&name)));
    depends
}
