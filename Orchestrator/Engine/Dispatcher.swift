import Contracts
import FleetRuntime
import Logging
import ServiceLifecycle
import Synchronization

/// Sends messages that nobody waits for: those of HTTP requests, after their commit.
///
/// What a crash or a long outage takes from here is sent by the watchdog, so the queue may be bounded and forgetful.
package final class Dispatcher: Service {
    /// Past this many waiting messages new purchases are refused: some seconds' worth, for the broker may pause so long.
    private static let comfortable = 20_000
    /// Past this many, messages are left to the watchdog.
    private static let capacity = 50_000

    private let messagePublisher: MessagePublisher
    private let executor: (any TaskExecutor)?
    private let logger: Logger
    private let signal = AsyncSignal()
    private let waiting = Mutex<[OutgoingMessage]>([])

    /// - Parameter executor: where the messagePublisher's connection is served; nil for wherever there is room.
    package init(_ messagePublisher: MessagePublisher, on executor: (any TaskExecutor)? = nil, logger: Logger) {
        self.messagePublisher = messagePublisher
        self.executor = executor
        self.logger = logger
    }

    package var hasRoom: Bool { waiting.withLock { $0.count } < Self.comfortable }

    package func send(_ messages: [OutgoingMessage]) {
        guard !messages.isEmpty else { return }
        let isFull = waiting.withLock { waiting in
            guard waiting.count + messages.count <= Self.capacity else { return true }
            waiting += messages
            return false
        }
        if isFull {
            logger.warning(
                "too much waits; the watchdog sends these later", metadata: ["messages": "\(messages.count)"])
        } else {
            signal.fire()
        }
    }

    package func run() async throws {
        await withGracefulShutdownHandler {
            await withTaskExecutorPreference(executor) { await dispatch() }
        } onGracefulShutdown: {
            self.signal.fire()
        }
    }

    private func dispatch() async {
        while true {
            let batch = nextBatch()
            if batch.isEmpty {
                if Task.isShuttingDownGracefully || Task.isCancelled { break }
                await signal.wait()
                continue
            }
            do {
                // The watchdog repeats a command that was not sent, and with it what tells of it; so that goes first.
                try await messagePublisher.sendInTurn(batch)
            } catch is Interrupted {
                break
            } catch {
                logger.warning(
                    "not sent; the watchdog sends these later",
                    metadata: ["messages": "\(batch.count)", "error": "\(error)"])
            }
        }
        await messagePublisher.close()
    }

    private func nextBatch() -> [OutgoingMessage] {
        waiting.withLock { waiting in
            let batch = Array(waiting.prefix(1_000))
            waiting.removeFirst(batch.count)
            return batch
        }
    }
}
