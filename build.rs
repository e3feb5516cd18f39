//! Links the command at a fixed address where that is known to work.
//!
//! A position-independent program of this size has thousands of addresses to correct before `main`,
//! on a hundred pages that are then its own: a quarter of the time of a short run.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let of = |name: &str| std::env::var(name).unwrap_or_default();
    let is_linux = of("CARGO_CFG_TARGET_OS") == "linux" && of("CARGO_CFG_TARGET_ENV") == "gnu";
    if is_linux && of("CARGO_CFG_TARGET_ARCH") == "x86_64" && of("PROFILE") == "release" {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
