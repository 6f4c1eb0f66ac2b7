import Hosting

/// Repeats one piece of the hot path so often, and nothing else, so that a tool beside it can count what it costs.
///
///     micro NAME COUNT     NAME of the benchmark, COUNT repetitions
///     micro --list
@main
enum Micro: String, CaseIterable {
    case step, messages, decode, encode, lane

    static func main() {
        do {
            try obey()
        } catch {
            StartupFailure.exit(status: error is Usage ? 64 : 1, lines: ["\(error)"])
        }
    }

    private static func obey() throws {
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.first == "--list" {
            for benchmark in allCases { print(benchmark.rawValue) }
            return
        }
        guard arguments.count == 2, let count = arguments.last.flatMap({ Int($0) }),
            let benchmark = arguments.first.flatMap({ Micro(rawValue: $0) })
        else { throw Usage() }
        try benchmark.run(count)
    }

    private func run(_ count: Int) throws {
        switch self {
        case .step: try Steps.run(count)
        case .messages: try Steps.write(count)
        case .decode: try Codec.decode(count)
        case .encode: try Codec.encode(count)
        case .lane: try LaneRun.run(count)
        }
    }

    private struct Usage: Error, CustomStringConvertible {
        let description = "micro NAME COUNT, or micro --list"
    }
}

/// Something that must not happen in a benchmark: it would count less work than it should.
struct WentWrong: Error {}
