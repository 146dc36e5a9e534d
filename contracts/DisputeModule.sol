// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Disputes} from "./Disputes.sol";
import {Module} from "./Module.sol";

/// @title The module for transactions whose inclusion is unknown
contract DisputeModule is Disputes {
    constructor(Parameters memory p) Module(p) {}
}
