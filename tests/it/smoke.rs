//! The flow of the README, once.

use crate::support::Server;

#[tokio::test]
async fn reset_steps_state_close() {
    let server = Server::start(&[]);
    let mut env = server.env().await;
    let reset = env.reset().await.unwrap();
    assert_eq!(reset.state.unwrap().step_count, 0);
    let hello = env.step("print('Hello, World!')").await.unwrap();
    assert_eq!(
        (hello.stdout(), hello.stderr(), hello.exit_code()),
        ("Hello, World!\n", "", 0)
    );
    let sum = env.step("x = 5 + 3\nx").await.unwrap();
    assert_eq!(sum.result(), Some("8"));
    let state = env.state().await.unwrap().state.unwrap();
    assert_eq!((state.step_count, state.last_exit_code), (2, 0));
    env.close().await.unwrap();
}
