import ArgumentParser
import Audit
import Contracts
import FleetInspection
import Foundation
import Operations
import OrchestratorService
import RabbitMQ
import WireJSON

extension Dead {
    /// Sends dead letters back, a few first.
    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send dead letters back to their queue: one, a group, or all.",
            discussion: """
                Sends 1, then 5, then 25 and so on, and stops as soon as one of them fails again; exit status 1 then. \
                Messages keep their ids, so what was done already is not done twice. A replayed message has one \
                attempt: if it fails, it is back at once with its new reason.
                """)

        @OptionGroup var connection: Connection
        @OptionGroup var choice: Choice
        @Flag(help: "Only say which sagas and how much money it is about.") var dryRun = false
        @Flag(inversion: .prefixedNo, help: "Send a few first and watch them.") var canary = true
        @Option(help: "Why; kept for ever beside your name.") var reason: String?
        @Option(help: "At most so many letters a second.") var rate: Int?
        @Option(help: "How many seconds a canary is watched.") var settle = 3

        func validate() throws {
            guard rate.map({ (1...5_000).contains($0) }) ?? true else {
                throw ValidationError("--rate must be from 1 to 5000")
            }
            guard (1...600).contains(settle) else { throw ValidationError("--settle must be from 1 to 600") }
        }

        func run() async throws {
            try choice.check()
            if dryRun {
                let data = try await post(limit: nil, dryRun: true)
                return try connection.show(data, as: DeadLetterImpact.self, Dead.lines)
            }
            var sent = 0
            var stage = 1
            var known: Set<DeadLetterID> = []
            while true {
                let stageSent = try await send(upTo: canary ? stage : Self.largest, &known)
                sent += stageSent
                guard stageSent > 0, canary || stageSent == Self.largest else { break }
                stage = min(stage * 5, Self.largest)
            }
            let watched = canary && sent > 0 ? "; each stage was watched, and none failed again" : ""
            Terminal.show(
                connection.json
                    ? #"{"sent":\#(sent)}"# : "sent \(sent.of("letter")) back to \(choice.queue)\(watched)")
        }

        private static let largest = 5_000

        /// One stage, in portions of a second each where there is a rate; watches it before the next.
        private func send(upTo count: Int, _ known: inout Set<DeadLetterID>) async throws -> Int {
            var actions: [ActionID] = []
            var sent = 0
            while sent < count {
                let outcome = try await portion(upTo: min(count - sent, rate ?? count))
                guard let action = outcome.action else { break }
                actions.append(action)
                sent += outcome.letters.count
                // A letter keeps its id, so one that is sent again has failed meanwhile.
                let returned = outcome.letters.count { !known.insert($0).inserted }
                guard returned == 0 else { throw failed(returned, of: sent) }
                if rate != nil { try await Task.sleep(for: .seconds(1)) }
            }
            guard canary, sent > 0 else { return sent }
            try await watch(actions, of: sent)
            return sent
        }

        private func portion(upTo limit: Int) async throws -> DeadLetterOutcome {
            try WireFormat.decode(DeadLetterOutcome.self, from: try await post(limit: limit, dryRun: false))
        }

        private func watch(_ actions: [ActionID], of count: Int) async throws {
            if !connection.json {
                Terminal.show("sent \(count.of("letter")); watching for \(settle) s whether any fails again")
            }
            for _ in 0..<settle {
                try await Task.sleep(for: .seconds(1))
                let returned = try await returned(actions)
                if returned > 0 { throw failed(returned, of: count) }
            }
            try await checkThatSomebodyWorks()
        }

        private func failed(_ returned: Int, of count: Int) -> Refusal {
            Refusal(
                "\(returned) of \(count.of("letter")) failed again, so nothing more was sent; see: turnstile dead list \(choice.queue)"
            )
        }

        private func returned(_ actions: [ActionID]) async throws -> Int {
            var count = 0
            for action in actions {
                let data = try await connection.client.get("/ops/actions/\(action)")
                count += try WireFormat.decode(OperatorAction.self, from: data).returned
            }
            return count
        }

        /// A canary in a queue that nobody reads proves nothing.
        private func checkThatSomebodyWorks() async throws {
            let data = try await connection.client.get("/ops/queues")
            let queue = try WireFormat.decode(QueuesAnswer.self, from: data).queues.first { $0.name == choice.queue }
            guard let queue, queue.consumers == 0 else { return }
            throw Refusal(
                "nobody consumes \(choice.queue), so nothing more was sent; start its process, then replay again")
        }

        private func post(limit: Int?, dryRun: Bool) async throws -> Data {
            try await connection.client.post(
                "/ops/dead/\(choice.queue.asPathPart)/replay",
                Wish(choice, limit: limit, dryRun: dryRun, reason: reason))
        }
    }
}
