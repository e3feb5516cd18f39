//! Links the command so that a short run touches little of it, where that is known to work.
//!
//! At a fixed address: a position-independent program of this size has thousands of addresses to
//! correct before `main`, on a hundred pages that are then its own, a quarter of the time of a
//! short run. And with what every run passes through side by side (`src/main.ld`): half the memory
//! of a short run would else be pages of rarely used code that lie between.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/main.ld");
    let of = |name: &str| env::var(name).unwrap_or_default();
    let is_linux = of("CARGO_CFG_TARGET_OS") == "linux" && of("CARGO_CFG_TARGET_ENV") == "gnu";
    if !is_linux || of("CARGO_CFG_TARGET_ARCH") != "x86_64" || of("PROFILE") != "release" {
        return;
    }
    println!("cargo::rustc-link-arg-bins=-no-pie");
    // Not every linker knows this kind of script; the usual ones do.
    let chosen = env::var_os("RUSTC_LINKER").is_some() || of("CARGO_ENCODED_RUSTFLAGS").contains("link");
    if !chosen {
        println!("cargo::rustc-link-arg-bins=-T");
        // From the package's folder, where the compiler is started: it may be moved afterwards.
        println!("cargo::rustc-link-arg-bins=src/main.ld");
    }
}
