//! The `swift` program; everything lives in the library.

fn main() -> std::process::ExitCode {
    swift::main()
}
