//! The `swift` program; everything lives in the library.

fn main() {
    swift::main()
}
