import Contracts
import Curl
import FleetRuntime
import FoundationEssentials
import Topology
import WireJSON

/// RabbitMQ's management API, which knows of queues and nodes what AMQP does not say.
struct ManagementAPI: Sendable {
    let url: String
    let virtualHost: String
    /// How long each answer may take.
    let patience: Duration

    func read() async throws -> BrokerReading {
        async let exchanges = get("/exchanges/\(virtualHost.percentEncoded)", [ManagedExchange].self)
        async let nodes = get("/nodes", [ManagedNode].self)
        let queues = try await get("/queues/\(virtualHost.percentEncoded)", [ManagedQueue].self)
        let byName = Dictionary(queues.map { ($0.name, $0) }) { first, _ in first }
        return BrokerReading(
            queues: Declarations.queues.compactMap { queue in byName[queue.name]?.reading },
            flaws: Self.flaws(of: try await exchanges)
                + Declarations.queues.compactMap { Self.flaw(of: byName[$0.name], declared: $0) },
            alarms: try await nodes.flatMap(\.alarms), remarks: [])
    }

    private func get<Answer: ManagedThing>(_ path: String, _ type: Answer.Type) async throws -> Answer {
        guard var location = URLComponents(string: url) else { throw UnreadableManagement("its address is no URL") }
        let credentials = Data("\(location.user ?? "guest"):\(location.password ?? "guest")".utf8).base64EncodedString()
        location.user = nil
        location.password = nil
        location.percentEncodedPath = "/api\(path)"
        location.queryItems = [URLQueryItem(name: "columns", value: Answer.columns)]
        var request = CurlRequest.prompt("GET", location.string ?? url, within: patience)
        request.headers = ["Authorization": "Basic \(credentials)"]
        request.bodyLimit = 16 << 20
        let response: CurlResponse
        do throws(CurlError) {
            response = try await CurlClient.prompt.send(request)
        } catch {
            throw UnreadableManagement(plainReason(of: error))
        }
        guard response.status == 200 else {
            throw UnreadableManagement(
                response.status == 401
                    ? "it refuses the login (401); check AMQP_MANAGEMENT_URL" : "it answers \(response.status)")
        }
        return try WireFormat.decode(type, from: response.body)
    }

    private static func flaws(of exchanges: [ManagedExchange]) -> [TopologyFlaw] {
        let byName = Dictionary(exchanges.map { ($0.name, $0) }) { first, _ in first }
        return Exchange.allCases.compactMap { wanted in
            guard let found = byName[wanted.rawValue] else {
                return TopologyFlaw(kind: .exchange, name: wanted.rawValue, state: .missing, detail: "")
            }
            guard found.type == wanted.type, found.durable else {
                return TopologyFlaw(
                    kind: .exchange, name: wanted.rawValue, state: .wrong,
                    detail: "it must be a durable exchange of type \(wanted.type), and is of type \(found.type)"
                        + (found.durable ? "" : " and not durable"))
            }
            return nil
        }
    }

    private static func flaw(of found: ManagedQueue?, declared: QueueDeclaration) -> TopologyFlaw? {
        guard let found else {
            return TopologyFlaw(kind: .queue, name: declared.name, state: .missing, detail: "")
        }
        var differences: [String] = []
        let arguments = found.arguments?.values ?? [:]
        for name in Set(arguments.keys).union(declared.arguments.keys).sorted() {
            let (wanted, actual) = (declared.arguments[name]?.text, arguments[name])
            if wanted != actual {
                differences.append("\(name) must be \(wanted ?? "absent") and is \(actual ?? "absent")")
            }
        }
        if !found.durable { differences.append("it must be durable") }
        guard !differences.isEmpty else { return nil }
        return TopologyFlaw(
            kind: .queue, name: declared.name, state: .wrong, detail: differences.joined(separator: ", "))
    }
}

/// Why the management API told nothing.
struct UnreadableManagement: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// What the API is asked for.
private protocol ManagedThing: Decodable, Sendable {
    /// The fields that are wanted.
    static var columns: String { get }
}

extension Array: ManagedThing where Element: ManagedThing {
    static var columns: String { Element.columns }
}

private struct ManagedExchange: ManagedThing {
    static let columns = "name,type,durable"
    let name: String
    let type: String
    let durable: Bool
}

private struct ManagedNode: ManagedThing {
    static let columns = "name,running,mem_alarm,mem_used,mem_limit,disk_free_alarm,disk_free,disk_free_limit"

    let name: String
    let mem_alarm: Bool?
    let mem_used: Double?
    let mem_limit: Double?
    let disk_free_alarm: Bool?
    let disk_free: Double?
    let disk_free_limit: Double?

    var alarms: [BrokerAlarm] {
        var alarms: [BrokerAlarm] = []
        if disk_free_alarm == true {
            alarms.append(
                BrokerAlarm(
                    resource: .disk, node: name,
                    detail: "\(Self.size(disk_free)) of disk free, \(Self.size(disk_free_limit)) wanted"))
        }
        if mem_alarm == true {
            alarms.append(
                BrokerAlarm(
                    resource: .memory, node: name,
                    detail: "\(Self.size(mem_used)) of memory used, \(Self.size(mem_limit)) allowed"))
        }
        return alarms
    }

    private static func size(_ bytes: Double?) -> String {
        bytes.map { "\(Int(($0 / 1_048_576).rounded())) MiB" } ?? "an unknown amount"
    }
}

private struct ManagedQueue: ManagedThing {
    static let columns = """
        name,durable,arguments,messages_ready,messages_unacknowledged,consumers,\
        message_stats.publish_details.rate,message_stats.deliver_get_details.rate,message_stats.ack
        """

    struct Statistics: Decodable {
        struct Rate: Decodable { let rate: Double }

        let publish_details: Rate?
        let deliver_get_details: Rate?
        let ack: Int?
    }

    /// The arguments as text; a broker that has none sends an empty list instead of an object.
    struct Arguments: Decodable {
        struct Value: Decodable {
            let text: String

            init(from decoder: any Decoder) throws {
                let value = try decoder.singleValueContainer()
                if let number = try Self.attempt({ try value.decode(Int64.self) }) {
                    text = "\(number)"
                } else {
                    text = try Self.attempt { try value.decode(String.self) } ?? "something else"
                }
            }

            private static func attempt<T>(_ decode: () throws -> T) throws -> T? {
                do { return try decode() } catch is DecodingError { return nil }
            }
        }

        let values: [String: String]

        init(from decoder: any Decoder) throws {
            do {
                values = try decoder.singleValueContainer().decode([String: Value].self).mapValues(\.text)
            } catch is DecodingError {
                values = [:]
            }
        }
    }

    let name: String
    let durable: Bool
    let arguments: Arguments?
    let messages_ready: Int?
    let messages_unacknowledged: Int?
    let consumers: Int?
    let message_stats: Statistics?

    var reading: QueueReading {
        QueueReading(
            name: name, purpose: .init(of: name), ready: messages_ready ?? 0, consumers: consumers ?? 0,
            unacked: messages_unacknowledged ?? 0, publishedPerSecond: message_stats?.publish_details?.rate ?? 0,
            deliveredPerSecond: message_stats?.deliver_get_details?.rate ?? 0,
            acknowledged: message_stats?.ack ?? 0)
    }
}

extension QueueDeclaration.Argument {
    fileprivate var text: String {
        switch self {
        case .text(let text): text
        case .number(let number): "\(number)"
        }
    }
}

extension String {
    /// Percent-encodes everything that is not a letter or digit of ASCII.
    fileprivate var percentEncoded: String {
        utf8.map { byte in
            let scalar = Unicode.Scalar(byte)
            if scalar.isASCII, scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_" {
                return String(scalar)
            }
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + (digits.count == 1 ? "0" + digits : digits)
        }.joined()
    }
}
