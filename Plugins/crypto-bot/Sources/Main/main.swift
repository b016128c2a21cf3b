import CryptoBotCore
import PluginSDK

PluginMain.run(name: "crypto-bot") { CryptoBot.register(on: $0) }
