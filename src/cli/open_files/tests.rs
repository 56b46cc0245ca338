use super::*;

/// The soft limit of a process may be raised to its hard one (getrlimit(2)); macOS takes no more than OPEN_MAX.
#[test]
fn the_limit_is_raised_as_far_as_it_goes() {
    raise_limit();
    let (current, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let is_on_macos = cfg!(target_os = "macos") && current >= MACOS_MOST;
    assert!(current == most || is_on_macos, "{current} of {most}");
}
