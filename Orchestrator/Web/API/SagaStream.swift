import Contracts
import Engine
import FleetRuntime
import FoundationEssentials
import HTTPTypes
import Hummingbird
import ServiceLifecycle
import Synchronization

/// Sagas' histories as server-sent events, line by line as they happen, until the saga has an outcome.
///
/// A client that comes back with `Last-Event-ID` is shown what it has not seen, and told with 204 not to come back when
/// there is nothing more. A stream ends with its client, and there is a bound on how many there are.
package struct SagaStreams: Sendable {
    /// How often a client that is told nothing hears that the connection stands.
    private static let heartbeat = Duration.seconds(15)

    let watchers: SagaWatchers
    let timelines: SagaTimelines
    let places: StreamPlaces

    package init(watchers: SagaWatchers, timelines: SagaTimelines, places: StreamPlaces) {
        self.watchers = watchers
        self.timelines = timelines
        self.places = places
    }

    func answer(_ request: Request, for saga: SagaID) async throws -> Response {
        let seen = try request.lastEventID
        let stream = try Stream(of: saga, watchers, timelines, places)
        guard let timeline = try await timelines.timeline(of: saga, atLeast: 0) else {
            throw Problem(.notFound, "there is no saga \(saga)")
        }
        guard !timeline.hasOutcome || timeline.lines.count > seen else { return Response(status: .noContent) }
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream", .cacheControl: "no-store", .connection: "close"],
            body: ResponseBody { writer in
                try await request.body.consumeWithCancellationOnInboundClose { _ in
                    try await follow(stream, after: seen, &writer)
                }
                try await writer.finish(nil)
            })
    }

    @concurrent
    private func follow(_ stream: Stream, after seen: Int, _ writer: inout any ResponseBodyWriter) async throws {
        var shown = seen
        try await writer.write(ByteBuffer(string: "retry: 2000\n\n"))
        while let timeline = try await timelines.timeline(of: stream.saga, atLeast: watchers.version(of: stream.saga)) {
            let news = timeline.lines.enumerated().dropFirst(shown)
            for (number, line) in news {
                try await writer.write(ByteBuffer(string: "id: \(number + 1)\nevent: step\ndata: \(line)\n\n"))
            }
            if news.isEmpty { try await writer.write(ByteBuffer(string: ": still here\n\n")) }
            shown = max(shown, timeline.lines.count)
            if timeline.hasOutcome { return }
            await stream.watch.signal.wait(atMost: Self.heartbeat)
            if Task.isShuttingDownGracefully { return }
            try Task.checkCancellation()
        }
    }
}

/// What a stream takes of the process, given back when nobody holds it any more: its answer may never be sent.
private final class Stream: Sendable {
    let saga: SagaID
    let watch: SagaWatchers.Watch
    private let watchers: SagaWatchers
    private let timelines: SagaTimelines
    private let places: StreamPlaces

    /// - Throws: `Problem` when no more streams are served now.
    init(
        of saga: SagaID, _ watchers: SagaWatchers, _ timelines: SagaTimelines, _ places: StreamPlaces
    ) throws(Problem) {
        guard places.take() else {
            throw Problem(.unavailable, "too many purchases are being followed; ask for this one by itself")
        }
        self.saga = saga
        self.watchers = watchers
        self.timelines = timelines
        self.places = places
        watch = watchers.enter(saga, for: .step)
        timelines.enter(saga)
    }

    deinit {
        timelines.leave(saga)
        watchers.leave(watch)
        places.giveBack()
    }
}

/// How many streams the process serves at once.
package final class StreamPlaces: Sendable {
    private let limit: Int
    private let count = Mutex(0)

    package init(_ limit: Int, metrics: PrometheusRegistry) {
        self.limit = limit
        metrics.gather { [self] in [Sample(.httpStreams, Double(count.withLock { $0 }))] }
    }

    func take() -> Bool {
        count.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
    }

    func giveBack() {
        count.withLock { $0 -= 1 }
    }
}

extension Request {
    /// How many lines the client has seen (`Last-Event-ID`); 0 when it comes for the first time.
    fileprivate var lastEventID: Int {
        get throws(Problem) {
            guard let text = HTTPField.Name("Last-Event-ID").flatMap({ headers[$0] }), !text.isEmpty else { return 0 }
            let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
            guard text.utf8.count <= 9, text.utf8.allSatisfy(digits.contains), let number = Int(text) else {
                throw Problem(.invalid, "Last-Event-ID must be the id of an event of this stream, a whole number")
            }
            return number
        }
    }
}
