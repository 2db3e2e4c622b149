//! The base path of every contract.
//!
//! [`MOUNTS`] is the only list of them: the server, the OpenAPI document, the metrics and the
//! guards that depend on a base read it.

use rocket::Request;

/// A contract, or a part of one that has a base of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Surface {
    Bottle,
    BottleDraft,
    Ledger,
    Cards,
    Members,
    Divisions,
    Music,
    Bookstore,
    Feeds,
}

/// The mount of a surface.
#[derive(Clone, Copy, Debug)]
pub struct Mount {
    /// The path with which all its routes begin.
    pub base: &'static str,
    /// The surface at that base.
    pub surface: Surface,
    /// The paths that belong to it, or none if all paths below `base` do.
    pub paths: &'static [&'static str],
}

const fn at(base: &'static str, surface: Surface) -> Mount {
    Mount { base, surface, paths: &[] }
}

/// All mounts. A path belongs to the first one that matches it.
pub const MOUNTS: &[Mount] = &[
    // Music's base lies inside Bottle's, so it comes first.
    at("/api/user", Surface::Music),
    at("/api", Surface::Bottle),
    at("/user", Surface::Ledger),
    // These three bases share one set of routes.
    at("/card", Surface::Cards),
    at("/member", Surface::Members),
    at("/division", Surface::Divisions),
    at("/auth", Surface::Bookstore),
    at("/feeds", Surface::Feeds),
    // The first draft of the Bottle contract shares `/` with the page.
    Mount { base: "/", surface: Surface::BottleDraft, paths: &["/sessions", "/users", "/bottles"] },
];

impl Surface {
    /// Returns the surface whose route handles `request`. Routes of the page count as the draft's.
    pub fn of(request: &Request<'_>) -> Option<Self> {
        let base = request.route()?.uri.base();
        MOUNTS.iter().find(|mount| base == mount.base).map(|mount| mount.surface)
    }

    /// Returns the surface to which `path` belongs, even if no route matches it.
    ///
    /// ```
    /// use bottle::http::mounts::Surface;
    ///
    /// assert_eq!(Surface::of_path("/api/bottles"), Some(Surface::Bottle));
    /// assert_eq!(Surface::of_path("/api/user/login"), Some(Surface::Music));
    /// assert_eq!(Surface::of_path("/docs"), None);
    /// ```
    pub fn of_path(path: &str) -> Option<Self> {
        MOUNTS.iter().find(|mount| mount.owns(path)).map(|mount| mount.surface)
    }
}

impl Mount {
    fn owns(&self, path: &str) -> bool {
        let bases = if self.paths.is_empty() { &[self.base] } else { self.paths };
        bases.iter().any(|base| {
            path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Surface;

    #[test]
    fn a_path_belongs_to_the_first_mount_that_matches() {
        assert_eq!(Surface::of_path("/api/user/login"), Some(Surface::Music));
        assert_eq!(Surface::of_path("/api/users"), Some(Surface::Bottle));
        assert_eq!(Surface::of_path("/users"), Some(Surface::BottleDraft));
        assert_eq!(Surface::of_path("/user"), Some(Surface::Ledger));
        assert_eq!(Surface::of_path("/"), None);
        assert_eq!(Surface::of_path("/teacher"), None);
    }
}
