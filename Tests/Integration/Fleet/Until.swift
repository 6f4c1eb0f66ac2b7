/// Waits until a condition holds, looking again and again.
func until(
    _ what: String, within limit: Duration = .seconds(30), _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(50))
    }
    throw NotInTime(what: what)
}

struct NotInTime: Error { let what: String }
