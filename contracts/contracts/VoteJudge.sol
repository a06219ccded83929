// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJobs} from "./interfaces/IJobs.sol";
import {IJudge} from "./interfaces/IJudge.sol";
import {IRegistry} from "./interfaces/IRegistry.sol";
import {IVoteJudge} from "./interfaces/IVoteJudge.sol";
import {Roles} from "./libraries/Roles.sol";

/// @title The judge by vote; documented on IVoteJudge.
contract VoteJudge is IVoteJudge {
    /// The result that has two thirds of the votes behind it; there can be only one.
    struct Case {
        bytes32 decided;
        address[] voters;
    }

    IJobs public immutable jobs;
    IRegistry public immutable registry;

    /// @inheritdoc IVoteJudge
    mapping(uint256 jobId => mapping(bytes32 subject => mapping(address validator => bytes32))) public voteOf;
    /// @inheritdoc IVoteJudge
    mapping(uint256 jobId => mapping(bytes32 subject => mapping(bytes32 found => uint256))) public votesFor;

    mapping(uint256 jobId => mapping(bytes32 subject => Case)) private _cases;

    constructor(IJobs jobs_) {
        jobs = jobs_;
        registry = IRegistry(jobs_.registry());
    }

    /// @inheritdoc IVoteJudge
    function vote(uint256 jobId, bytes32 subject, bytes32 found) external {
        if (found == 0 || subject == 0) revert EmptyVote();
        address validator = registry.resolve(msg.sender);
        bool enrolled = validator != address(0) && jobs.enrolmentOf(jobId, Roles.VALIDATOR, validator) != 0;
        if (!enrolled || jobs.expelled(jobId, validator)) revert NotValidator(jobId, msg.sender);
        if (voteOf[jobId][subject][validator] != 0) revert AlreadyVoted(jobId, subject, validator);

        voteOf[jobId][subject][validator] = found;
        uint256 votes = ++votesFor[jobId][subject][found];
        Case storage current = _cases[jobId][subject];
        current.voters.push(validator);
        // Expelled validators stay in the count: fewer honest voices must not make it easier to convict.
        if (3 * votes >= 2 * jobs.validatorCount(jobId)) current.decided = found;
        emit Voted(jobId, subject, validator, found);
    }

    /// @inheritdoc IJudge
    function verdict(uint256 jobId, bytes32 subject) external view returns (Verdict) {
        bytes32 decided = _cases[jobId][subject].decided;
        if (decided == 0) return Verdict.None;
        return decided == subject ? Verdict.Stands : Verdict.Wrong;
    }

    /// @inheritdoc IJudge
    function accusers(uint256 jobId, bytes32 subject) external view returns (address[] memory found) {
        Case storage current = _cases[jobId][subject];
        bytes32 decided = current.decided;
        if (decided == 0 || decided == subject) return new address[](0);
        found = new address[](votesFor[jobId][subject][decided]);
        uint256 next = 0;
        for (uint256 i = 0; i < current.voters.length; ++i) {
            address voter = current.voters[i];
            if (voteOf[jobId][subject][voter] == decided) found[next++] = voter;
        }
    }

    /// @inheritdoc IJudge
    function isOpen(uint256, bytes32) external pure returns (bool) {
        return false;
    }
}
