import Contracts
import FoundationEssentials
import Hummingbird
import ServiceLifecycle

/// A saga's history as server-sent events, line by line as it happens, until the saga has an outcome.
struct SagaStream: Sendable {
    /// How often another process's moves are looked for.
    private static let period = Duration.milliseconds(500)

    let saga: SagaID
    let queries: SagaQueries
    let watchers: SagaWatchers

    var response: Response {
        Response(
            status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                try await follow(&writer)
                try await writer.finish(nil)
            })
    }

    @concurrent
    private func follow(_ writer: inout any ResponseBodyWriter) async throws {
        var shown = 0
        var quiet = 0
        let watch = watchers.enter(saga, for: .step)
        defer { watchers.leave(watch) }
        while let history = try await queries.history(of: saga) {
            for (number, entry) in history.timeline.enumerated().dropFirst(shown) {
                let line = String(decoding: try WireFormat.encode(TimelineEntry(entry)), as: UTF8.self)
                try await writer.write(ByteBuffer(string: "id: \(number + 1)\nevent: step\ndata: \(line)\n\n"))
            }
            quiet = history.timeline.count == shown ? quiet + 1 : 0
            shown = history.timeline.count
            if history.saga.state.outcome != nil { return }
            if quiet % 20 == 19 { try await writer.write(ByteBuffer(string: ": still here\n\n")) }
            await watch.bell.wait(atMost: Self.period)
            if Task.isShuttingDownGracefully { return }
            try Task.checkCancellation()
        }
    }
}
