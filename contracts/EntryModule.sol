// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Claims} from "./Claims.sol";
import {Module} from "./Module.sol";
import {OpenedEntries} from "./OpenedEntries.sol";
import {Shares} from "./Shares.sol";

/// @title The module for the entries of mass exits
contract EntryModule is Claims, OpenedEntries, Shares {
    constructor(Parameters memory p) Module(p) {}
}
