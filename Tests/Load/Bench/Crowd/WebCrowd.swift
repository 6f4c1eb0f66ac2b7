import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOPosix
import Synchronization
import TestKit

/// HTTP clients that keep their connections, each asking again as soon as it is answered.
struct WebCrowd: Sendable {
    struct Ask: Sendable {
        var method: HTTPMethod = .POST
        let path: String
        var body = Data()
        var prefer: String?
    }

    struct Answer: Sendable {
        let number: Int
        let status: Int
        /// From the beginning of the crowd.
        let began: Duration
        let took: Duration
    }

    let url: String
    let connections: Int

    /// Asks `count` questions, numbered from 0, and gives every answer.
    func ask(_ count: Int, _ question: @escaping @Sendable (Int) throws -> Ask) async throws -> [Answer] {
        guard let parts = URLComponents(string: url), let host = parts.host, let port = parts.port else {
            throw Trouble("\(url) has no host and port")
        }
        let line = Line(count: count, host: "\(host):\(port)", question: question)
        return try await withThrowingTaskGroup(of: [Answer].self) { group in
            for _ in 0..<min(connections, count) {
                group.addTask { try await Self.converse(host, port, line) }
            }
            var answers: [Answer] = []
            answers.reserveCapacity(count)
            for try await part in group { answers += part }
            guard answers.count == count else { throw Trouble("\(answers.count) of \(count) requests were answered") }
            return answers
        }
    }

    private static func converse(_ host: String, _ port: Int, _ line: Line) async throws -> [Answer] {
        let group = MultiThreadedEventLoopGroup.singleton
        let finished = group.any().makePromise(of: [Answer].self)
        let channel = try await ClientBootstrap(group: group)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(Client(line, finished))
                }
            }
            .connect(host: host, port: port).get()
        let answers = try await finished.futureResult.get()
        try await channel.close().get()
        return answers
    }
}

/// The questions that are still to be asked; whoever is free takes the next.
private final class Line: Sendable {
    let began = ContinuousClock.now
    let host: String
    private let count: Int
    private let question: @Sendable (Int) throws -> WebCrowd.Ask
    private let next = Atomic(0)

    init(count: Int, host: String, question: @escaping @Sendable (Int) throws -> WebCrowd.Ask) {
        self.count = count
        self.host = host
        self.question = question
    }

    func take() throws -> (Int, WebCrowd.Ask)? {
        let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
        return number < count ? (number, try question(number)) : nil
    }
}

/// One connection: a question, its answer, the next question.
private final class Client: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let line: Line
    private let finished: EventLoopPromise<[WebCrowd.Answer]>
    private var answers: [WebCrowd.Answer] = []
    private var number = 0
    private var asked = ContinuousClock.now
    private var status = 0
    private var isDone = false

    init(_ line: Line, _ finished: EventLoopPromise<[WebCrowd.Answer]>) {
        self.line = line
        self.finished = finished
    }

    func channelActive(context: ChannelHandlerContext) { ask(context) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): status = Int(head.status.code)
        case .body: break
        case .end:
            let now = ContinuousClock.now
            answers.append(.init(number: number, status: status, began: asked - line.began, took: now - asked))
            ask(context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(.failure(Trouble("the server closed the connection after \(answers.count) answers")))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(.failure(error))
        context.close(promise: nil)
    }

    private func ask(_ context: ChannelHandlerContext) {
        do {
            guard let (number, ask) = try line.take() else { return end(.success(answers)) }
            self.number = number
            var head = HTTPRequestHead(version: .http1_1, method: ask.method, uri: ask.path)
            head.headers.add(name: "Host", value: line.host)
            if let prefer = ask.prefer { head.headers.add(name: "Prefer", value: prefer) }
            if !ask.body.isEmpty {
                head.headers.add(name: "Content-Type", value: "application/json")
                head.headers.add(name: "Content-Length", value: String(ask.body.count))
            }
            asked = .now
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            if !ask.body.isEmpty {
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(data: ask.body)))), promise: nil)
            }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        } catch {
            end(.failure(error))
        }
    }

    private func end(_ result: Result<[WebCrowd.Answer], any Error>) {
        guard !isDone else { return }
        isDone = true
        finished.completeWith(result)
    }
}
