//! What `swift.toml` says is what happens.

use crate::sandbox::Sandbox;
use crate::world::add;

#[test]
fn a_task_may_fail_for_ever_where_the_settings_say_so() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let id = add(&web, ".", "the one");
    let settings = web.read(".swift/swift.toml");
    assert!(settings.contains("\nattempts = 3\n"));
    web.write(".swift/swift.toml", settings.replace("\nattempts = 3\n", "\nattempts = 0\n"));
    for _ in 0..4 {
        assert_eq!(web.json(["fail", &id, "--why", "again"])["task"]["state"], "ready");
    }
}
