import Connections
import Foundation

/// Measures the fleet that the environment names, as an upstream system would use it.
@main
enum Bench {
    static func main() async {
        ignoreBrokenPipes()
        let arguments = Arguments(CommandLine.arguments.dropFirst())
        do {
            let target = try Target(ProcessInfo.processInfo.environment)
            for name in arguments.scenarios.isEmpty ? ["latency", "saturate"] : arguments.scenarios {
                try await run(name, arguments, on: target)
            }
        } catch {
            print("bench: \(error)")
            exit(1)
        }
    }

    private static func run(_ name: String, _ arguments: Arguments, on target: Target) async throws {
        let sagas = arguments.number("sagas", 20_000)
        switch name {
        case "saturate": try await Saturate(target, sagas: sagas, events: arguments.number("events", 64)).run()
        case "hot": try await Saturate(target, sagas: sagas, events: 1).run()
        case "latency":
            try await Latency(target, rate: arguments.number("rate", 20), seconds: arguments.number("seconds", 20))
                .run()
        default:
            print("bench: there is no scenario '\(name)'; scenarios are saturate, hot, latency")
            exit(64)
        }
    }
}

/// The command line: scenarios, and `--name value` for their numbers.
struct Arguments {
    private(set) var scenarios: [String] = []
    private var values: [String: Int] = [:]

    init(_ words: some Sequence<String>) {
        var name: String?
        for word in words {
            if word.hasPrefix("--") {
                name = String(word.dropFirst(2))
            } else if let known = name {
                values[known] = Int(word)
                name = nil
            } else {
                scenarios.append(word)
            }
        }
    }

    func number(_ name: String, _ fallback: Int) -> Int { values[name] ?? fallback }
}
