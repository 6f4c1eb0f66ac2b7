import Foundation
import Testing

@testable import RabbitMQ

@Suite struct `Broker configuration` {
    @Test func `a whole address is read`() throws {
        let configuration = try BrokerConfiguration(url: "amqp://u%40x:p%2Fw%3A@broker.example:5673/my%2Fhost")
        #expect(configuration.hosts == [.init(host: "broker.example", port: 5673)])
        #expect(configuration.user == "u@x")
        #expect(configuration.password == "p/w:")
        #expect(configuration.virtualHost == "my/host")
    }

    @Test(arguments: [
        "amqp://localhost", "amqp://localhost/", "amqp://guest:guest@localhost:5672/%2F", " amqp://localhost ",
    ])
    func `missing parts have their usual values`(url: String) throws {
        let configuration = try BrokerConfiguration(url: url)
        #expect(configuration.hosts == [.init(host: "localhost", port: 5672)])
        #expect(configuration.user == "guest")
        #expect(configuration.password == "guest")
        #expect(configuration.virtualHost == "/")
    }

    @Test func `several nodes are separated by commas`() throws {
        let url = "amqp://u:p@a:1/v,amqp://u:p@b/v,amqp://u:p@[::1]:3/v"
        let configuration = try BrokerConfiguration(url: url)
        #expect(configuration.hosts.map(\.host) == ["a", "b", "::1"])
        #expect(configuration.hosts.map(\.port) == [1, 5672, 3])
    }

    @Test(arguments: [
        "", "localhost", "amqps://u:p@h/v", "http://h", "amqp://", "amqp://h:0", "amqp://h:70000",
        "amqp://h/v?heartbeat=1",
        "amqp://h/a/b", "amqp://h/%zz", "amqp://h/%2", "amqp://h/%+1", "amqp://h/%ff", "amqp://h/%00",
        "amqp://u:p@a,amqp://u:q@b",
        "amqp://a/v,amqp://b/w", "amqp://a,", "amqp://u:secret@h:port",
    ])
    func `an unusable address is refused without being repeated`(url: String) {
        #expect { try BrokerConfiguration(url: url) } throws: { error in
            guard let error = error as? BrokerError, error.code == .invalidConfiguration else { return false }
            return !error.isTransient && !error.description.contains("secret")
        }
    }

    @Test func `the password is never printed`() throws {
        let configuration = try BrokerConfiguration(url: "amqp://user:hunter2@h1/v,amqp://user:hunter2@h2:1/v")
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(configuration.description == "amqp://user@h1:5672,h2:1/v")
        for text in ["\(configuration)", String(reflecting: configuration), dumped, "\([configuration])"] {
            #expect(!text.contains("hunter2"))
        }
    }
}

@Suite struct `Publication limits` {
    private func publication(_ change: (inout Publication) -> Void) -> Publication {
        var publication = Publication(
            exchange: "e", routingKey: "k", isMandatory: true, properties: Properties(), body: Data())
        change(&publication)
        return publication
    }

    @Test func `what fits is let through`() {
        let full = publication {
            $0.routingKey = String(repeating: "k", count: 255)
            $0.properties.messageID = String(repeating: "é", count: 127)
            $0.properties.headers["note"] = .string(String(repeating: "n", count: 60_000))
            $0.body = Data(count: 1_000_000)
        }
        #expect(full.flaw(frameLimit: 131_072) == nil)
    }

    @Test func `names longer than AMQP allows are found`() {
        let long = String(repeating: "é", count: 128)
        let flawed = [
            publication { $0.exchange = long }, publication { $0.routingKey = long },
            publication { $0.properties.messageID = long }, publication { $0.properties.correlationID = long },
            publication { $0.properties.type = long }, publication { $0.properties.replyTo = long },
            publication { $0.properties.applicationID = long }, publication { $0.properties.contentType = long },
            publication { $0.properties.headers[long] = .integer(1) },
        ]
        for publication in flawed { #expect(publication.flaw(frameLimit: 131_072) != nil) }
    }

    @Test func `headers that do not fit in a frame are found`() {
        let text = publication { $0.properties.headers["note"] = .string(String(repeating: "n", count: 4000)) }
        #expect(text.flaw(frameLimit: 4096) != nil)
        let many = publication { for n in 0..<100 { $0.properties.headers["h\(n)"] = .boolean(true) } }
        #expect(many.flaw(frameLimit: 4096) != nil)
        #expect(many.flaw(frameLimit: 131_072) == nil)
    }
}

@Suite struct `Broker errors` {
    @Test(
        arguments: [
            (403, .accessRefused), (530, .accessRefused), (404, .notFound), (405, .preconditionFailed),
            (406, .preconditionFailed), (501, .protocolViolation), (505, .protocolViolation), (540, .protocolViolation),
            (320, .connectionLost), (541, .connectionLost), (506, .connectionLost),
        ] as [(UInt16, BrokerError.Code)])
    func `a reply code becomes a code`(number: UInt16, code: BrokerError.Code) {
        #expect(BrokerError(replyCode: number, text: "words", during: "testing").code == code)
    }

    @Test func `the description says what, why and in whose words`() {
        let error = BrokerError(replyCode: 404, text: "NOT_FOUND - no queue 'q'", during: "checking queue q")
        #expect(error.description == "RabbitMQ: checking queue q failed (404 NOT_FOUND - no queue 'q')")
    }
}
