// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Evidence} from "./Evidence.sol";
import {Module} from "./Module.sol";
import {Settlement} from "./Settlement.sol";

/// @title The module for what follows the start of a standard exit: evidence, and settlement after its turn
contract EvidenceModule is Evidence, Settlement {
    constructor(Parameters memory p) Module(p) {}

    fallback() external {
        revert UnknownCall(msg.sig);
    }
}
