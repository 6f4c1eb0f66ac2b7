import Logging

/// Listens to what the fleet itself calls impossible; everything else it says is not kept.
struct JudgingLogHandler: LogHandler {
    /// What no correct fleet ever logs, whatever fails around it.
    private static let faults: Set<String> = [
        "an input that no correct fleet sends", "the provider contradicts itself",
        "a charge was asked for again on other terms, which are ignored",
    ]

    let universe: Universe
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.error

    init(_ universe: Universe) {
        self.universe = universe
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let line = ([event.message.description] + facts).joined(separator: " ")
        if Self.faults.contains(event.message.description) { universe.condemn(line) } else { universe.note(line) }
    }
}
