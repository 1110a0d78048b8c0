import Store
import Testing

/// What is said of a server that is not reached.
@Suite(.timeLimit(.minutes(10))) struct ConnectionTests {
    /// `user@server` is how some clouds call users.
    @Test(arguments: ["u@server:geheim", "u:ge@heim"]) func noPasswordIsTold(login: String) async throws {
        let store = Store(url: "postgresql://\(login)@127.0.0.1:1/none", application: "test")
        let error = try await #require(throws: StoreError.self) { try await store.query("select 1") }
        let told = error.description
        #expect(told.contains(#"connection to server at "127.0.0.1", port 1 failed"#), "\(told)")
        #expect(!told.contains("heim"), "\(told)")
    }
}
