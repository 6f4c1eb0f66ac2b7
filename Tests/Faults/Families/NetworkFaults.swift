import Contracts
import Foundation
import TestKit

/// What lies between the fleet and its servers.
extension Fault {
    static let network: [Fault] =
        halfOpen + [
            Fault(
                "C2", "connections are reset in the middle of a word",
                how: "ss -K on every connection to PostgreSQL and RabbitMQ, ten times"
            ) {
                stage in
                var killed = 0
                for _ in 1...10 {
                    for url in [stage.place.databaseURL, stage.place.brokerURL] {
                        guard let port = URLComponents(string: url)?.port else { throw Trouble("\(url) has no port") }
                        let output = try await Command.run(
                            "/usr/bin/ss", ["-K", "-t", "-H", "dst", "127.0.0.1", "dport", "=", ":\(port)"])
                        killed += output.split(separator: "\n").count
                    }
                    try await stage.pause(.seconds(1))
                }
                guard killed > 0 else { throw Trouble("this kernel did not kill a socket") }
                return "\(killed) sockets were reset"
            },
            Fault("C6", "answers of the database do not come back", how: "proxy: requests pass, answers do not, 12 s") {
                stage in
                for proxy in stage.proxies.of(.postgres) { proxy.gate.block([.answers]) }
                let noticed = try await stage.unready(.reservation)
                try await stage.pause(max(.zero, .seconds(12) - noticed))
                for proxy in stage.proxies.of(.postgres) { proxy.gate.open() }
                return "noticed after \(noticed.text)"
            },
            Fault(
                "C6-broker", "confirms do not come back",
                how: "proxy: publishing passes, answers of the broker do not, 25 s"
            ) {
                stage in
                for proxy in stage.proxies.of(.rabbitmq) { proxy.gate.block([.answers]) }
                let noticed = try await stage.unready(.orchestrator)
                try await stage.pause(max(.zero, .seconds(25) - noticed))
                for proxy in stage.proxies.of(.rabbitmq) { proxy.gate.open() }
                return "noticed after \(noticed.text)"
            },
            Fault(
                "C10-database", "the orchestrator cannot reach the database, and can reach the broker",
                how: "proxy: orchestrator to PostgreSQL blocked, 15 s"
            ) {
                stage in
                for proxy in stage.proxies.of(.postgres, [.orchestrators]) { proxy.gate.block([.requests, .answers]) }
                let noticed = try await stage.unready(.orchestrator)
                try await stage.pause(max(.zero, .seconds(15) - noticed))
                for proxy in stage.proxies.of(.postgres, [.orchestrators]) { proxy.gate.open() }
                return "noticed after \(noticed.text)"
            },
            Fault(
                "C10-broker", "the orchestrator cannot reach the broker, and can reach the database",
                how: "proxy: orchestrator to RabbitMQ refused and cut, 12 s"
            ) {
                stage in
                for proxy in stage.proxies.of(.rabbitmq, [.orchestrators]) {
                    proxy.gate.refuse(true)
                    await proxy.cut()
                }
                let noticed = try await stage.unready(.orchestrator)
                try await stage.pause(.seconds(12))
                for proxy in stage.proxies.of(.rabbitmq, [.orchestrators]) { proxy.gate.open() }
                return "noticed after \(noticed.text)"
            },
        ]

    private static let halfOpen = [
        (Servers.Name.postgres, Duration.seconds(18)), (.rabbitmq, .seconds(28)), (.redis, .seconds(6)),
    ].map { server, time in
        Fault(
            "C1-\(server.rawValue)", "connections to \(server.rawValue) are half open",
            how: "proxy: nothing passes and nobody hangs up, \(time.text)"
        ) { stage in
            for proxy in stage.proxies.of(server) { proxy.gate.block([.requests, .answers]) }
            guard server != .redis else {
                try await stage.pause(time)
                let seen = await stage.readiness()
                for proxy in stage.proxies.of(server) { proxy.gate.open() }
                return "sales went on: \(seen)"
            }
            let noticed = try await stage.unready(.orchestrator)
            try await stage.pause(max(.zero, time - noticed))
            for proxy in stage.proxies.of(server) { proxy.gate.open() }
            guard noticed <= .seconds(21) else { throw Trouble("noticed only after \(noticed.text)") }
            return "noticed after \(noticed.text)"
        }
    }
}
